using System.Text;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>A value of a policy: exact, `abc*`, `*abc`, or `*` for anything that is there.</summary>
internal sealed class PolicyText
{
    private readonly string _text;
    private readonly byte[] _bytes;
    private readonly bool _prefix;
    private readonly bool _suffix;

    public PolicyText(string value)
    {
        // `*` alone is the prefix of everything; what is absent or empty is told apart before.
        _prefix = value.EndsWith('*');
        _suffix = !_prefix && value.StartsWith('*');
        _text = _prefix ? value[..^1] : _suffix ? value[1..] : value;
        _bytes = Encoding.UTF8.GetBytes(_text);
    }

    public bool Matches(ReadOnlySpan<char> value)
    {
        if (value.IsEmpty)
            return false;
        return _prefix ? value.StartsWith(_text, StringComparison.Ordinal) : _suffix ? value.EndsWith(_text, StringComparison.Ordinal) : value.SequenceEqual(_text);
    }

    public bool Matches(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return false;
        return _prefix ? value.StartsWith(_bytes) : _suffix ? value.EndsWith(_bytes) : value.SequenceEqual(_bytes);
    }
}
