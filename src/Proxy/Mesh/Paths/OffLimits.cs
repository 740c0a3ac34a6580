using System.Net;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh;

/// <summary>
/// Where a node's proxy connects for nobody. Pods mean themselves, or their own link, by such addresses; said to the proxy they would mean the node, and open what it keeps for itself:
/// servers on its loopback, a cloud's metadata.
/// </summary>
/// <param name="own">What the proxy itself listens on.</param>
/// <param name="open">Allowed all the same: a mesh that is on loopback as a whole.</param>
/// <param name="cluster">From which pods, services and nodes have their addresses.</param>
internal sealed class OffLimits(IEnumerable<IPAddress> own, IReadOnlyList<IPNetwork> open, IReadOnlyList<IPNetwork> cluster)
{
    private readonly HashSet<IPAddress> _own = [.. own.Select(address => address.Plain())];

    /// <summary>Whether no connection that was meant for it may go on.</summary>
    public bool ForConnections(IPAddress address) => address.Plain() is var plain && IsOfMachine(plain) && !open.Any(range => range.Contains(plain));

    /// <summary>Whether no name may lead to it. Names are tenants' to write and others' to answer: also the proxy's own addresses are none of theirs.</summary>
    public bool ForNames(IPAddress address) => ForConnections(address) || _own.Contains(address.Plain());

    /// <summary>Whether a pod, a service or nobody but a node has it: there a node is trusted by its address.</summary>
    public bool IsOfCluster(IPAddress address) => address.Plain() is var plain && cluster.Any(range => range.Contains(plain));

    // RFC 6890: "this network", loopback, link-local; RFC 1112: multicast. RFC 4291 section 2.5: unspecified, loopback, and IPv4 in IPv6's old clothes are all of ::/96.
    private static bool IsOfMachine(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4
            ? bytes[0] is 0 or 127 or (>= 224 and < 240) || bytes is [169, 254, ..] || address.Equals(IPAddress.Broadcast)
            : address.IsIPv6LinkLocal || address.IsIPv6Multicast || bytes[..12].IndexOfAnyExcept((byte)0) < 0;
    }
}
