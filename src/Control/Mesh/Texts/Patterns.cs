using System.Text.RegularExpressions;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Texts;

/// <summary>Conditions on texts.</summary>
internal static class Patterns
{
    /// <summary>Whether the proxy takes the expression: in time linear in the text, as RE2.</summary>
    public static bool IsLinear(string pattern, string field, Problems problems)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
            // The linear engine takes milliseconds for each, so only what may be beyond it is tried: groups with options or look-around, references, counted repetitions.
            if (pattern.Contains("(?", StringComparison.Ordinal) || pattern.Contains('{') || HasReference(pattern))
                _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            return true;
        }
        catch (NotSupportedException)
        {
            problems.Error(field, $"'{pattern}' has look-around, back-references or too many repetitions; write it without, as RE2 wants it, too");
        }
        catch (ArgumentException bad)
        {
            problems.Error(field, $"'{pattern}' is no regular expression: {bad.Message}");
        }

        return false;
    }

    private static bool HasReference(string pattern)
    {
        for (var i = pattern.IndexOf('\\'); i >= 0 && i + 1 < pattern.Length; i = pattern.IndexOf('\\', i + 2))
        {
            if (char.IsAsciiDigit(pattern[i + 1]) || pattern[i + 1] is 'k' or 'G')
                return true;
            if (i + 2 >= pattern.Length)
                break;
        }

        return false;
    }

    /// <summary>Null: the text only has to be there.</summary>
    public static StringMatch? Read(Istio.StringMatch match, string field, Problems problems, bool lowerCase = false)
    {
        if (new[] { match.Exact, match.Prefix, match.Regex }.Count(text => text is not null) > 1)
            problems.Error(field, "has more than one of exact, prefix and regex; keep one");
        if (match.Exact is { } exact)
            return StringMatch.Exact(lowerCase ? exact.ToLowerInvariant() : exact);
        if (match.Prefix is { } prefix)
            return StringMatch.Prefix(lowerCase ? prefix.ToLowerInvariant() : prefix);
        if (match.Regex is not { } regex)
            return null;
        IsLinear(regex, $"{field}.regex", problems);
        return StringMatch.Regex(regex);
    }
}
