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
