namespace Weft.Node.Network.Services;

/// <param name="Set">Set or map.</param>
internal readonly record struct NftElement(string Set, string Key);

/// <summary>What one service or pod has in the table: chains and sets of its own, and elements in the shared sets.</summary>
internal sealed class NftObjects
{
    public static readonly NftObjects None = new();

    /// <summary>Rules of a chain, one a line. A chain that several have says by its name what is in it.</summary>
    public Dictionary<string, string> Chains { get; } = [];

    /// <summary>Declaration of a set, between its braces.</summary>
    public Dictionary<string, string> Sets { get; } = [];

    /// <summary>Value of an element; empty in a set.</summary>
    public Dictionary<NftElement, string> Elements { get; } = [];
}
