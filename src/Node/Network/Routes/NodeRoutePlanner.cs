using System.Net;
using Weft.Api.Core;

namespace Weft.Node.Network.Routes;

/// <param name="Via">Null: this destination is refused here (`unreachable`).</param>
internal readonly record struct NodeRoute(string Destination, string? Via);

/// <summary>
/// Routes to the pods of other nodes: each node's range by its address. There is no tunnel, so the next hop must be a neighbour on a link; where
/// it is not, a node may name a neighbour that forwards for it, and else the machine's own routes must do. Pure.
/// </summary>
internal static class NodeRoutePlanner
{
    /// <param name="links">Networks that this machine is connected to.</param>
    public static IReadOnlyList<NodeRoute> Plan(string self, IReadOnlyCollection<Api.Core.Node> nodes, IReadOnlyCollection<IPNetwork> links, IReadOnlyCollection<IPAddress> ownAddresses)
    {
        var routes = new List<NodeRoute>();
        foreach (var node in nodes.Where(node => node.Metadata.Name != self).OrderBy(node => node.Metadata.Name, StringComparer.Ordinal))
        {
            var range = Range(node);
            var address = node.Status.Addresses.FirstOrDefault(a => a.Type == "InternalIP")?.Address;
            if (range is null || !IPAddress.TryParse(address, out var direct))
                continue;
            if (OnLink(direct))
            {
                routes.Add(new(range, direct.ToString()));
            }
            else if (IPAddress.TryParse(node.Metadata.Annotations.GetValueOrDefault(NodeAnnotations.NextHop), out var hop) && !ownAddresses.Contains(hop) && OnLink(hop))
            {
                routes.Add(new(range, hop.ToString()));
                routes.Add(new(direct + "/32", hop.ToString()));
            }
        }

        // A packet for an address of ours that no pod has would go to the default route, and come back from there until its time to live is over.
        if (routes.Count > 0 && nodes.FirstOrDefault(node => node.Metadata.Name == self) is { } own && Range(own) is { } ours)
            routes.Add(new(ours, null));
        return [.. routes.DistinctBy(route => route.Destination)];

        bool OnLink(IPAddress hop) => links.Any(link => link.PrefixLength is > 0 and < 32 && link.Contains(hop));
    }

    /// <summary>Commands for `ip -batch`: what is missing first, then what is too much.</summary>
    public static IReadOnlyList<string> Difference(IReadOnlyCollection<NodeRoute> wanted, IReadOnlyCollection<NodeRoute> present, int protocol) =>
    [
        .. wanted.Except(present).Select(route => route.Via is { } via
            ? $"route replace {route.Destination} via {via} proto {protocol}"
            : $"route replace unreachable {route.Destination} proto {protocol} metric 4096"),
        .. present.Where(route => !wanted.Any(other => other.Destination == route.Destination && (other.Via is null) == (route.Via is null)))
            .Select(route => $"route del {(route.Via is null ? "unreachable " : "")}{route.Destination} proto {protocol}"),
    ];

    /// <summary>Lines of `ip route show proto N`: `10.244.1.0/24 via 10.244.255.2 dev eth0`, or `unreachable 10.244.0.0/24 metric 4096`; a /32 has no suffix.</summary>
    public static IReadOnlyList<NodeRoute> Parse(string text)
    {
        var routes = new List<NodeRoute>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["unreachable", var refused, ..])
                routes.Add(new(WithLength(refused), null));
            else if (words is [var destination, "via", var hop, ..])
                routes.Add(new(WithLength(destination), hop));
        }

        return routes;

        static string WithLength(string destination) => destination.Contains('/', StringComparison.Ordinal) ? destination : destination + "/32";
    }

    private static string? Range(Api.Core.Node node) => IPNetwork.TryParse(node.Spec.PodCIDR ?? "", out var range) ? range.ToString() : null;
}
