using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.Storage;

namespace Weft.ApiServer.Registry.Services;

/// <summary>Node ports of services. The claim of a port is the key `/registry/weft.dev/nodeports/PORT`; two ports of one service may share a number (TCP and UDP).</summary>
internal sealed class NodePorts(IStore store, int first, int last, Random random) : IClaims
{
    private const string Prefix = "/registry/" + ReservedResources.OwnGroup + "/nodeports/";
    private const int Tries = 64;

    public bool Concerns(ResourceInfo resource) => resource.Resource is { Group: "", Resource: "services" };

    public ValueTask<IReadOnlyList<Choice>> AllocateAsync(JsonObject tree, JsonObject? old, CancellationToken cancellationToken)
    {
        if (tree["spec"] is not JsonObject spec || spec["ports"] is not JsonArray ports)
            return new([]);

        var choices = new List<Choice>();
        var wants = Wants(spec);
        foreach (var port in ports.OfType<JsonObject>())
        {
            var before = OfSamePort(old, port);
            if (!wants)
            {
                // A service that no longer has node ports gives back those it had; one that a client newly sets is the validator's to refuse.
                if (before is not null && port["nodePort"].AsInteger() == before)
                    port.Remove("nodePort");
            }
            else if (port["nodePort"].AsInteger() is null or 0)
            {
                var chosen = before ?? FindFree(choices) ?? throw Statuses.Internal($"failed to allocate a nodePort: range {first}-{last} is full");
                port["nodePort"] = chosen;
                if (before is null)
                    choices.Add(new Choice(Key(chosen), () => port.Remove("nodePort")));
            }
        }

        AllocateHealthCheck(spec, old, choices);
        return new(choices);
    }

    public IEnumerable<Claim> Of(JsonObject tree)
    {
        if (tree["spec"] is not JsonObject spec)
            yield break;
        var ports = spec["ports"] as JsonArray ?? [];
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i].At("nodePort").AsInteger() is { } port and > 0)
            {
                var path = $"spec.ports[{i}].nodePort";
                yield return new Claim(Key(port), () => Refusal(tree, path, port, "provided port is already allocated"));
            }
        }
        if (spec["healthCheckNodePort"].AsInteger() is { } health and > 0)
            yield return new Claim(Key(health), () => Refusal(tree, "spec.healthCheckNodePort", health, "provided port is already allocated"));
    }

    public void Check(JsonObject tree)
    {
        var ports = tree.At("spec", "ports") as JsonArray ?? [];
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i].At("nodePort").AsInteger() is { } port and > 0 && (port < first || port > last))
                throw Refusal(tree, $"spec.ports[{i}].nodePort", port, $"provided port is not in the valid range. The range of valid ports is {first}-{last}");
        }
        if (tree.At("spec", "healthCheckNodePort").AsInteger() is { } health and > 0 && (health < first || health > last))
            throw Refusal(tree, "spec.healthCheckNodePort", health, $"provided port is not in the valid range. The range of valid ports is {first}-{last}");
    }

    // A load balancer that must reach only nodes with a local endpoint asks each node on a port of its own.
    private void AllocateHealthCheck(JsonObject spec, JsonObject? old, List<Choice> choices)
    {
        var wanted = spec["type"].AsText() == "LoadBalancer" && spec["externalTrafficPolicy"].AsText() == "Local";
        var before = old.At("spec", "healthCheckNodePort").AsInteger();
        if (!wanted)
        {
            if (spec["healthCheckNodePort"].AsInteger() == before)
                spec.Remove("healthCheckNodePort");
            return;
        }
        if (spec["healthCheckNodePort"].AsInteger() is not (null or 0))
            return;
        var port = before is > 0 ? before : FindFree(choices);
        spec["healthCheckNodePort"] = port ?? throw Statuses.Internal($"failed to allocate a healthCheckNodePort: range {first}-{last} is full");
        if (before is null or 0)
            choices.Add(new Choice(Key(port.Value), () => spec.Remove("healthCheckNodePort")));
    }

    private static bool Wants(JsonObject spec) => spec["type"].AsText() switch
    {
        "NodePort" => true,
        "LoadBalancer" => spec["allocateLoadBalancerNodePorts"].AsBoolean() != false,
        _ => false,
    };

    private static long? OfSamePort(JsonObject? old, JsonObject port)
    {
        foreach (var candidate in (old.At("spec", "ports") as JsonArray ?? []).OfType<JsonObject>())
        {
            if (candidate["port"].AsInteger() == port["port"].AsInteger() && (candidate["protocol"].AsText() ?? "TCP") == (port["protocol"].AsText() ?? "TCP"))
                return candidate["nodePort"].AsInteger() is { } number and > 0 ? number : null;
        }
        return null;
    }

    private long? FindFree(List<Choice> taken)
    {
        for (var i = 0; i < Tries; i++)
        {
            var port = Next();
            if (IsFree(port, taken))
                return port;
        }
        for (long port = first; port <= last; port++)
        {
            if (IsFree(port, taken))
                return port;
        }
        return null;
    }

    private bool IsFree(long port, List<Choice> taken) => store.Get(Key(port)) is null && taken.TrueForAll(choice => choice.Key != Key(port));

    private long Next()
    {
        lock (random)
            return random.Next(first, last + 1);
    }

    private static string Key(long port) => Prefix + port.ToString(CultureInfo.InvariantCulture);

    private static ApiException Refusal(JsonObject tree, string path, long port, string why) =>
        Statuses.Invalid(new GroupVersionKind("", "v1", "Service"), Metadata.Name(tree),
            [FieldError.Invalid(path, port.ToString(CultureInfo.InvariantCulture), why)]);
}
