using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing.Matching;

/// <summary>A compiled <see cref="StringMatch"/>, asked with the bytes of a request.</summary>
internal sealed class TextMatcher
{
    private readonly TextMatch _kind;
    private readonly byte[] _value;
    private readonly bool _ignoreCase;
    private readonly LinearPattern? _regex;

    public TextMatcher(StringMatch match)
    {
        (_kind, _ignoreCase) = (match.Kind, match.IgnoreCase);
        _value = Encoding.UTF8.GetBytes(match.Value);
        _regex = match.Kind == TextMatch.Regex ? LinearPattern.Whole(match.Value, match.IgnoreCase) : null;
    }

    public bool Matches(ReadOnlySpan<byte> text) => _kind switch
    {
        TextMatch.Exact => text.Length == _value.Length && Same(text),
        TextMatch.Prefix => text.Length >= _value.Length && Same(text[.._value.Length]),
        TextMatch.Suffix => text.Length >= _value.Length && Same(text[^_value.Length..]),
        TextMatch.Contains => Contains(text),
        _ => _regex!.Matches(text),
    };

    private bool Same(ReadOnlySpan<byte> part) => _ignoreCase ? Ascii.EqualsIgnoreCase(part, _value) : part.SequenceEqual(_value);

    private bool Contains(ReadOnlySpan<byte> text)
    {
        if (!_ignoreCase)
            return text.IndexOf(_value) >= 0;
        for (var at = 0; at + _value.Length <= text.Length; at++)
        {
            if (Ascii.EqualsIgnoreCase(text.Slice(at, _value.Length), _value))
                return true;
        }

        return false;
    }
}
