using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.Storage;

namespace Weft.ApiServer.Registry.Services;

/// <summary>Cluster addresses of services. The claim of an address is the key `/registry/weft.dev/serviceaddresses/ADDRESS`.</summary>
internal sealed class ServiceAddresses(IStore store, AddressRange range, Random random) : IClaims
{
    private const string Prefix = "/registry/" + ReservedResources.OwnGroup + "/serviceaddresses/";

    // Random tries before the range is searched in order: with half of it in use, one in 4 billion needs the search.
    private const int Tries = 32;

    public bool Concerns(ResourceInfo resource) => resource.Resource is { Group: "", Resource: "services" };

    public ValueTask<IReadOnlyList<Choice>> AllocateAsync(JsonObject tree, JsonObject? old, CancellationToken cancellationToken)
    {
        if (tree["spec"] is not JsonObject spec)
            return new([]);
        if (spec["type"].AsText() == "ExternalName")
        {
            foreach (var field in (ReadOnlySpan<string>)["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
                spec.Remove(field);
            return new([]);
        }

        spec["ipFamilies"] ??= new JsonArray("IPv4");
        spec["ipFamilyPolicy"] ??= "SingleStack";
        var stated = Stated(spec);
        if (stated.Length == 0 && old?["spec"] is JsonObject before)
            stated = Stated(before); // a PUT that leaves the address out keeps it
        if (stated.Length > 0)
        {
            Set(spec, stated);
            return new([]);
        }

        var address = FindFree() ?? throw Statuses.Internal($"failed to allocate a serviceIP: range {range.Cidr} is full");
        Set(spec, address);
        return new([new Choice(Prefix + address, () => Clear(spec))]);
    }

    public IEnumerable<Claim> Of(JsonObject tree)
    {
        var address = Stated(tree["spec"] as JsonObject ?? []);
        if (address is "" or "None" || tree.At("spec", "type").AsText() == "ExternalName")
            return [];
        return [new Claim(Prefix + address, () => Refusal(tree, address, "provided IP is already allocated"))];
    }

    public void Check(JsonObject tree)
    {
        // They would take another service's traffic on every node, or the DNS server's (the nodes do not let them either: this is for whoever applies it).
        foreach (var external in (tree.At("spec", "externalIPs") as JsonArray)?.Select(one => one.AsText()) ?? [])
        {
            if (IPAddress.TryParse(external, out var outside) && range.Contains(outside))
            {
                throw Statuses.Invalid(new GroupVersionKind("", "v1", "Service"), Metadata.Name(tree),
                    [FieldError.Invalid("spec.externalIPs", external, $"may not be of the range of cluster addresses, {range.Cidr}")]);
            }
        }

        var address = Stated(tree["spec"] as JsonObject ?? []);
        if (address is "" or "None" || tree.At("spec", "type").AsText() == "ExternalName")
            return;
        if (!IPAddress.TryParse(address, out var parsed))
            throw Refusal(tree, address, "must be a valid IP address");
        if (!range.Contains(parsed))
            throw Refusal(tree, address, $"the provided IP ({address}) is not in the valid range. The range of valid IPs is {range.Cidr}");
    }

    private static ApiException Refusal(JsonObject tree, string address, string why) =>
        Statuses.Invalid(new GroupVersionKind("", "v1", "Service"), Metadata.Name(tree),
            [FieldError.Invalid("spec.clusterIPs", $"[\"{address}\"]", $"failed to allocate IP {address}: {why}")]);

    private static string Stated(JsonObject spec) =>
        spec["clusterIP"].AsText() is { Length: > 0 } one ? one : spec["clusterIPs"] is JsonArray { Count: > 0 } all ? all[0].AsText() ?? "" : "";

    private static void Set(JsonObject spec, string address)
    {
        spec["clusterIP"] = address;
        if (spec["clusterIPs"] is not JsonArray { Count: > 0 })
            spec["clusterIPs"] = new JsonArray(address);
    }

    private static void Clear(JsonObject spec)
    {
        spec.Remove("clusterIP");
        spec.Remove("clusterIPs");
    }

    private string? FindFree()
    {
        for (var i = 0; i < Tries; i++)
        {
            var address = AddressRange.Text((uint)Next(range.FirstDynamic, range.Last));
            if (IsFree(address))
                return address;
        }
        for (long number = range.FirstDynamic; number <= range.Last; number++)
        {
            if (AddressRange.Text((uint)number) is var address && IsFree(address))
                return address;
        }
        for (long number = range.First; number < range.FirstDynamic; number++)
        {
            if (AddressRange.Text((uint)number) is var address && IsFree(address))
                return address;
        }
        return null;
    }

    private bool IsFree(string address) => store.Get(Prefix + address) is null;

    private long Next(long first, long last)
    {
        lock (random)
            return random.NextInt64(first, last + 1);
    }
}
