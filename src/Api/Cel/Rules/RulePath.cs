using System.Text;
using Weft.Api.Schemas;

namespace Weft.Api.Cel.Rules;

/// <summary>The `fieldPath` of a rule: `.spec.names['first.name']`, members alone.</summary>
public static class RulePath
{
    /// <summary>The names, or null when the text is no such path.</summary>
    public static IReadOnlyList<string>? Parse(string text)
    {
        var names = new List<string>();
        var at = 0;
        while (at < text.Length)
        {
            if (text[at] == '.')
            {
                var end = at + 1;
                while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '_' or '-'))
                    end++;
                if (end == at + 1)
                    return null;
                names.Add(text[(at + 1)..end]);
                at = end;
            }
            else if (text.AsSpan(at).StartsWith("['") && text.IndexOf("']", at + 2, StringComparison.Ordinal) is > 0 and var close)
            {
                names.Add(text[(at + 2)..close]);
                at = close + 2;
            }
            else
                return null;
        }
        return names.Count == 0 ? null : names;
    }

    public static bool Exists(IReadOnlyList<string> names, Schema schema)
    {
        Schema? at = schema;
        foreach (var name in names)
        {
            at = at.Member(name);
            if (at is null)
                return false;
        }
        return true;
    }

    /// <summary>The path of an error below <paramref name="start"/>.</summary>
    public static string Below(string start, IReadOnlyList<string> names, Schema schema)
    {
        var text = new StringBuilder(start);
        Schema? at = schema;
        foreach (var name in names)
        {
            if (at?.Properties.ContainsKey(name) == false)
                text.Append('[').Append(name).Append(']');
            else
                (text.Length == 0 ? text : text.Append('.')).Append(name);
            at = at?.Member(name);
        }
        return text.ToString();
    }
}
