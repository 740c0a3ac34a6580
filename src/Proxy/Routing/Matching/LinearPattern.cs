using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Weft.Proxy.Routing.Matching.Expressions;

namespace Weft.Proxy.Routing.Matching;

/// <summary>
/// An expression that takes a whole text or does not, in time linear in the text. Nearly all are a table of a few kilobytes (<see cref="ByteAutomaton"/>); .NET's own linear engine, which takes 6 ms and
/// 700 KB for each, has the rest.
/// </summary>
internal sealed class LinearPattern
{
    private readonly ByteAutomaton? _table;
    private readonly Regex? _regex;

    private LinearPattern(ByteAutomaton? table, Regex? regex) => (_table, _regex) = (table, regex);

    /// <summary>For tests and figures.</summary>
    internal bool IsTable => _table is not null;

    /// <exception cref="ArgumentException">It is no expression, or one that takes more than linear time.</exception>
    public static LinearPattern Whole(string pattern, bool ignoreCase = false)
    {
        // Its mistakes are said by .NET, which is the judge of what an expression is.
        _ = new Regex(pattern, RegexOptions.CultureInvariant);
        return PatternParser.Parse(pattern, ignoreCase) is { } tree && ByteAutomaton.Of(tree) is { } table ? new(table, null) : new(null, LinearRegex.Whole(pattern, ignoreCase));
    }

    public bool Matches(ReadOnlySpan<byte> text)
    {
        if (_table is not null)
            return _table.Matches(text);
        const int Small = 512;
        var rented = text.Length > Small ? ArrayPool<char>.Shared.Rent(text.Length) : null;
        var chars = rented is null ? stackalloc char[Small] : rented.AsSpan();
        // A byte is a character: field values have no encoding (RFC 9110 section 5.5).
        Encoding.Latin1.GetChars(text, chars);
        var matches = _regex!.IsMatch(chars[..text.Length]);
        if (rented is not null)
            ArrayPool<char>.Shared.Return(rented);
        return matches;
    }
}
