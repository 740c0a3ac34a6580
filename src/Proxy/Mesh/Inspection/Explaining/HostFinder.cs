using System.Net;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <param name="Host">Null: the mesh knows none of this name.</param>
/// <param name="Address">That the connection is meant for, where that is known.</param>
/// <param name="How">How a name or address became this.</param>
/// <param name="Port">Of the host, where it is another than the one that is dialled.</param>
internal sealed record FoundHost(MeshHost? Host, IPAddress? Address, string How, int? Port = null);

/// <summary>Which host a client means: by the search list that pods have (resolv.conf(5), ndots 5), or by the address.</summary>
internal static class HostFinder
{
    private const int Dots = 5;

    /// <param name="clientNamespace">Empty: the client has no search list.</param>
    public static FoundHost Find(string text, int port, string clientNamespace, MeshState state)
    {
        var (hosts, view) = (state.Hosts, state.View);
        var name = text.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        if (IPAddress.TryParse(name, out var address))
        {
            address = address.Plain();
            if (view.HostOf(new(address, port)) is null && view.DialledAt(new(address, port)) is { IsEmpty: false } dialled && hosts.TryGetValue(dialled[0].Name, out var headless))
                return new(headless, address, $"{address} is an endpoint of {headless.Name}", dialled[0].Port);
            return view.HostOf(new(address, port)) is { } owner ? new(owner, address, $"{address} is an address of {owner.Name}") : new(null, address, $"{address} is the address of no service");
        }

        foreach (var candidate in Candidates(name, clientNamespace, DomainOf(hosts)))
        {
            if (hosts.TryGetValue(candidate, out var host))
            {
                var own = host.Unit.Addresses.FirstOrDefault(one => !one.Contains('/')) ?? host.Unit.Answer?.Addresses.FirstOrDefault();
                return new(host, own is null ? null : IPAddress.Parse(own).Plain(), candidate == name ? $"{name} is a host of the mesh" : $"{name} means {candidate} to a client in namespace {clientNamespace}");
            }
        }

        foreach (var candidate in Candidates(name, clientNamespace, DomainOf(hosts)))
        {
            // `db-0.db`: an endpoint of a headless service by its own name.
            if (candidate.IndexOf('.') is > 0 and var first && hosts.TryGetValue(candidate[(first + 1)..], out var host) && host.Unit.ByEndpoint && EndpointOf(state, host, port, candidate[..first]) is { } own)
                return new(host, own, $"{candidate} is {own}, an endpoint of {host.Name}");
        }

        // Wildcard entries take every name below them; the longest one first.
        for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (hosts.TryGetValue("*" + name[dot..], out var below))
                return new(below, null, $"{name} is below {below.Name}");
        }

        return new(null, null, $"the mesh knows no host {name}");
    }

    private static IPAddress? EndpointOf(MeshState state, MeshHost host, int port, string name) =>
        state.Clusters.GetValueOrDefault($"{host.Name}:{port}")?.Config.Endpoints.FirstOrDefault(endpoint => endpoint.HostName == name)?.Address is { } text && IPAddress.TryParse(text, out var address) ? address.Plain() : null;

    /// <summary>Names that are near, for who has mistyped one.</summary>
    public static IReadOnlyList<string> Near(string text, IEnumerable<string> hosts)
    {
        var first = text.ToLowerInvariant().Split('.', ':')[0];
        return [.. hosts.Where(host => host.Split('.')[0] == first).Order(StringComparer.Ordinal).Take(5)];
    }

    private static IEnumerable<string> Candidates(string name, string clientNamespace, string domain)
    {
        var searched = clientNamespace.Length == 0 ? [] : new[] { $"{name}.{clientNamespace}.svc.{domain}", $"{name}.svc.{domain}", $"{name}.{domain}" };
        return name.Count(c => c == '.') < Dots ? [.. searched, name] : [name, .. searched];
    }

    // The mesh's own services say it.
    private static string DomainOf(IReadOnlyDictionary<string, MeshHost> hosts) =>
        hosts.Keys.FirstOrDefault(WorkloadNames.IsService)?.Split('.', 4) is [_, _, _, var domain] ? domain : "cluster.local";
}
