using Weft.Api.Istio;

namespace Weft.Node.Network;

/// <summary>
/// Bits of the packet mark, nft priorities and route tables that Weft uses; docs/guide/network-and-marks.md has the table, and whom they must not meet.
/// </summary>
public static class NetworkMarks
{
    /// <summary>Belongs to the mesh: the service chains leave such a packet alone, or a connection that the proxy captured would be translated a second time.</summary>
    public const uint Mesh = MeshPorts.SocketMark;

    /// <summary>Goes out under an address of this node, so that the answer comes back through it.</summary>
    public const uint Masquerade = 0x2000;

    /// <summary>Is delivered on this machine, whatever its destination: to a socket of the proxy. Of a connection (`ct mark`): it is captured.</summary>
    public const uint Captured = 0x80;

    /// <summary>Beside <see cref="Captured"/>: the destination is a pod's own address, so that network policies can judge it.</summary>
    public const uint ToPod = 0x40;

    /// <summary>Before dstnat (-100), where Docker's and other programs' rules are: the first translation of a connection holds.</summary>
    public const int DestinationPriority = -105;

    /// <summary>Before srcnat (100).</summary>
    public const int SourcePriority = 95;

    /// <summary>Before filter (0): what has no endpoint is refused whatever a firewall would do with it.</summary>
    public const int FilterPriority = -5;

    /// <summary>mangle: what a meshed pod opens is taken before any translation (-100).</summary>
    public const int CapturePriority = -150;

    /// <summary>What is opened to a meshed pod is taken when its destination is translated (-100): services and node ports lead to it, too.</summary>
    public const int TranslatedCapturePriority = -90;

    /// <summary>Of the routing rule: before other programs' own (Tailscale begins at 5210), after those few that lead everything elsewhere.</summary>
    public const int RulePreference = 733;

    public static string Hex(uint mark) => $"0x{mark:x}";
}
