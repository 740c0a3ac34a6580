namespace Weft.Node.Network;

/// <summary>
/// Bits of the packet mark, nft priorities and route tables that Weft uses; docs/guide/network-and-marks.md has the table, and whom they must not meet.
/// </summary>
internal static class NetworkMarks
{
    /// <summary>Belongs to the mesh: the service chains leave such a packet alone, or a connection that the proxy captured would be translated a second time.</summary>
    public const uint Mesh = 0x1000;

    /// <summary>Goes out under an address of this node, so that the answer comes back through it.</summary>
    public const uint Masquerade = 0x2000;

    /// <summary>Before dstnat (-100), where Docker's and other programs' rules are: the first translation of a connection holds.</summary>
    public const int DestinationPriority = -105;

    /// <summary>Before srcnat (100).</summary>
    public const int SourcePriority = 95;

    /// <summary>Before filter (0): what has no endpoint is refused whatever a firewall would do with it.</summary>
    public const int FilterPriority = -5;

    public static string Hex(uint mark) => $"0x{mark:x}";
}
