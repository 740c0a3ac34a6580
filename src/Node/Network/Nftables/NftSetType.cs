namespace Weft.Node.Network.Nftables;

/// <summary>Of what the elements of a set or map are made.</summary>
/// <param name="Data">Null: a set.</param>
internal sealed record NftSetType(IReadOnlyList<string> Key, IReadOnlyList<string>? Data)
{
    public const string Verdict = "verdict";

    public bool LeadsToChains => Data is [Verdict];

    /// <summary>Reads `a . b` or `a . b : c . d`, or `a : verdict`.</summary>
    public static NftSetType Parse(string text)
    {
        var sides = text.Split(" : ");
        return new(sides[0].Split(" . "), sides.Length > 1 ? sides[1].Split(" . ") : null);
    }
}
