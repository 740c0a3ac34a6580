using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Matching;

/// <summary>A compiled <see cref="NamedMatch"/> on header fields or query parameters.</summary>
internal sealed class NamedMatcher(NamedMatch match)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(match.Name);
    private readonly byte[] _lowerName = Encoding.UTF8.GetBytes(match.Name.ToLowerInvariant());
    private readonly TextMatcher? _value = match.Value is { } value ? new(value) : null;
    private readonly bool _invert = match.Invert;

    public bool MatchesHeader(RequestFacts facts)
    {
        // Host is no field of a head; rules speak of it all the same.
        if (_lowerName.AsSpan().SequenceEqual("host"u8) || _lowerName.AsSpan().SequenceEqual(":authority"u8))
            return (_value?.Matches(facts.Host.Authority) ?? true) != _invert;
        if (_lowerName.AsSpan().SequenceEqual(":method"u8))
            return (_value?.Matches(facts.Head.Method) ?? true) != _invert;
        return HeaderValues.Any(facts.Head.Headers, _lowerName, _value) != _invert;
    }

    public bool MatchesQuery(ReadOnlySpan<byte> query) => Any(query) != _invert;

    private bool Any(ReadOnlySpan<byte> query)
    {
        foreach (var parameter in new QueryParameters(query))
        {
            if (parameter.NameIs(_name) && (_value is null || parameter.ValueMatches(_value)))
                return true;
        }

        return false;
    }
}
