using System.Text;
using System.Text.RegularExpressions;

namespace Weft.Api.Trees;

/// <summary>A `pattern` of a schema. Its author writes Go's regular expressions, which have no look-around and run in linear time; so does this one.</summary>
public sealed class PatternMatcher
{
    // The engine is linear in the text; the limit is for a large automaton on a loaded machine.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly Regex? _regex;

    public PatternMatcher(string pattern)
    {
        try
        {
            _regex = new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Limit);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            Problem = e.Message;
        }
    }

    /// <summary>Why the pattern cannot be used, or null.</summary>
    public string? Problem { get; }

    /// <summary>Null when the answer took too long, or the pattern cannot be used.</summary>
    public bool? Matches(string text)
    {
        try
        {
            return _regex?.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    /// <summary>The first matches, in order; null when the search took too long, or the pattern cannot be used.</summary>
    public IReadOnlyList<string>? Find(string text, int most)
    {
        try
        {
            if (_regex is null)
                return null;
            var found = new List<string>();
            for (var match = _regex.Match(text); match.Success && found.Count < most; match = match.NextMatch())
                found.Add(match.Value);
            return found;
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    // What the two dialects write differently: `$` is the very end, \z and \A are the same, groups are named by (?P<, and classes may be [[:alpha:]].
    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
                text.Append(pattern[i]).Append(pattern[++i]);
            else if (inClass && rest.StartsWith("[:", StringComparison.Ordinal) && rest.IndexOf(":]", StringComparison.Ordinal) is > 2 and var end
                && Posix(rest[2..end]) is { } members)
            {
                text.Append(members);
                i += end + 1;
            }
            else if (!inClass && pattern[i] == '$')
                text.Append(@"\z");
            else if (!inClass && rest.StartsWith("(?P<", StringComparison.Ordinal))
            {
                text.Append("(?<");
                i += 3;
            }
            else
            {
                // In Go a bracket inside a class is a plain character; .NET would take `-[` for a subtraction.
                text.Append(inClass && pattern[i] == '[' ? @"\[" : pattern[i].ToString());
                if (!inClass && pattern[i] == '[')
                {
                    inClass = true;
                    if (i + 1 < pattern.Length && pattern[i + 1] == '^')
                        text.Append(pattern[++i]);
                    // A bracket that comes first is a member.
                    if (i + 1 < pattern.Length && pattern[i + 1] == ']')
                        text.Append('\\').Append(pattern[++i]);
                }
                else if (pattern[i] == ']')
                    inClass = false;
            }
        }
        return text.ToString();
    }

    private static string? Posix(ReadOnlySpan<char> name) => name switch
    {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "digit" => "0-9",
        "lower" => "a-z",
        "upper" => "A-Z",
        "space" => @"\t\n\v\f\r ",
        "xdigit" => "0-9A-Fa-f",
        "word" => "0-9A-Za-z_",
        "blank" => @"\t ",
        "punct" => @"!-/:-@\[-`{-~",
        _ => null,
    };
}
