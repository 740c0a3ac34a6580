using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Matching;

/// <summary>A compiled <see cref="SourceMatch"/>. What is not known of a source matches nothing.</summary>
internal sealed class SourceMatcher
{
    private readonly TextMatcher[] _identities;
    private readonly string[] _namespaces;
    private readonly ValueMap _labels;
    private readonly AddressRanges _ranges;

    private SourceMatcher(SourceMatch match)
    {
        _identities = [.. match.Identities.Select(i => new TextMatcher(i))];
        _namespaces = [.. match.Namespaces];
        _labels = match.Labels;
        _ranges = new(match.Ranges);
    }

    /// <summary>Null: everybody.</summary>
    public static SourceMatcher? Of(SourceMatch match) => match == SourceMatch.Any ? null : new(match);

    public bool Matches(ConnectionFacts connection)
        => (_namespaces.Length == 0 || (connection.Namespace is { } ns && Array.IndexOf(_namespaces, ns) >= 0))
            && (_ranges.IsEmpty || _ranges.Contains(connection.Source.Address))
            && _labels.IsSubsetOf(connection.Labels)
            && (_identities.Length == 0 || HasIdentity(connection.Identity));

    private bool HasIdentity(string? identity)
    {
        const int Longest = 2048; // A SPIFFE ID is no longer (its specification, section 2.3).
        if (identity is null || identity.Length > Longest)
            return false;
        Span<byte> bytes = stackalloc byte[Longest];
        if (!Encoding.UTF8.TryGetBytes(identity, bytes, out var length))
            return false;
        foreach (var matcher in _identities)
        {
            if (matcher.Matches(bytes[..length]))
                return true;
        }

        return false;
    }
}
