using System.Text.RegularExpressions;

namespace Weft.Proxy.Routing.Matching;

/// <summary>
/// Regular expressions of a configuration on texts of a stranger: only in time linear in the text (RegexOptions.NonBacktracking), so without look-around and back-references, as in
/// RE2, which Envoy, Istio and Gateway API implementations have.
/// </summary>
internal static class LinearRegex
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <summary>Must match the whole text.</summary>
    /// <exception cref="ArgumentException">It is no expression, or one that takes more than linear time.</exception>
    public static Regex Whole(string pattern, bool ignoreCase = false) => Create($@"\A(?:{pattern})\z", pattern, ignoreCase);

    /// <summary>Is searched in the text.</summary>
    public static Regex Part(string pattern) => Create(pattern, pattern, ignoreCase: false);

    /// <summary>What every text begins with that an expression matches as a whole; empty where it cannot be told at a glance.</summary>
    public static string LiteralStart(string pattern)
    {
        // An alternative anywhere may be one to the start.
        if (pattern.Contains('|'))
            return "";
        var start = new System.Text.StringBuilder();
        for (var i = pattern.StartsWith('^') ? 1 : 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length && char.IsAscii(pattern[i + 1]) && char.IsPunctuation(pattern[i + 1]))
                c = pattern[++i];
            else if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '-' or '_' or '~' or '%' or '=' or ':' or '@' or ','))
                return c is '*' or '?' or '+' or '{' && start.Length > 0 ? start.ToString(0, start.Length - 1) : start.ToString();
            start.Append(c);
        }

        return start.ToString();
    }

    private static Regex Create(string pattern, string shown, bool ignoreCase)
    {
        try
        {
            // Alone first: `a)|(b` must not become an expression by what is put around it.
            _ = new Regex(shown, Options);
            return new Regex(pattern, ignoreCase ? Options | RegexOptions.IgnoreCase : Options);
        }
        catch (NotSupportedException)
        {
            throw new ArgumentException($"'{shown}' has look-around, back-references or too many repetitions, which cannot be matched in linear time");
        }
    }
}
