using System.Buffers.Binary;
using System.Net;
using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <param name="Range">Null: there is none left.</param>
/// <param name="Problem">For an Event; null when all is well.</param>
internal sealed record NodeRange(string? Range, string? Problem);

/// <summary>Which part of the cluster's pod network a node has: a /24 for each. Pure.</summary>
internal static class NodeRangePlanner
{
    /// <summary>254 addresses: more than the 110 pods of a node, also while those of yesterday still end.</summary>
    public const int PrefixLength = 24;

    /// <summary>Simulated nodes have no network.</summary>
    public const string SimulatedLabel = "weft.dev/simulated";

    /// <summary>Node 1 takes the first range by itself; the last one is the network of the nodes of one machine.</summary>
    public static NodeRange Plan(Node node, IEnumerable<Node> all, IPNetwork cluster)
    {
        var others = all.Where(other => other.Metadata.Name != node.Metadata.Name).SelectMany(Ranges).ToList();
        if (Ranges(node).ToList() is { Count: > 0 } own)
        {
            return own.Find(range => others.Exists(other => Overlap(range, other))) is { PrefixLength: > 0 } shared
                ? new NodeRange(shared.ToString(), $"the range {shared} is another node's, too: delete this node and let it join again")
                : new NodeRange(own[0].ToString(), null);
        }

        if (cluster.PrefixLength >= PrefixLength)
            return new NodeRange(null, $"the cluster's pod network {cluster} has one range, and node 1 has it");
        var first = BinaryPrimitives.ReadUInt32BigEndian(cluster.BaseAddress.GetAddressBytes());
        var count = 1 << (PrefixLength - cluster.PrefixLength);
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 1; i < count - 1; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, first + ((uint)i << (32 - PrefixLength)));
            var candidate = new IPNetwork(new IPAddress(bytes), PrefixLength);
            if (!others.Exists(other => Overlap(candidate, other)))
                return new NodeRange(candidate.ToString(), null);
        }

        return new NodeRange(null, others.Exists(other => other.PrefixLength <= cluster.PrefixLength)
            ? $"node 1 has the whole pod network {cluster}: the cluster was made by an older weft, for one node; make it anew (weft down --purge, weft up)"
            : $"all {count - 2} ranges of the pod network {cluster} are taken");
    }

    private static IEnumerable<IPNetwork> Ranges(Node node) =>
        node.Spec.PodCIDRs.Append(node.Spec.PodCIDR ?? "").Where(text => text.Length > 0).Distinct(StringComparer.Ordinal)
            .Select(text => IPNetwork.TryParse(text, out var range) ? range : default).Where(range => range.PrefixLength > 0);

    private static bool Overlap(IPNetwork a, IPNetwork b) =>
        a.BaseAddress.AddressFamily == b.BaseAddress.AddressFamily && (a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress));
}
