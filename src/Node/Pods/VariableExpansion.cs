using System.Text;

namespace Weft.Node.Pods;

/// <summary>`$(NAME)` in commands, arguments and values: replaced when the name is known, left as it is when not; `$$` is one dollar sign.</summary>
internal static class VariableExpansion
{
    public static string Expand(string text, Func<string, string?> lookup)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            var end = text[i + 1] == '(' ? text.IndexOf(')', i + 2) : -1;
            if (text[i + 1] == '$')
            {
                result.Append('$');
                i++;
            }
            else if (end < 0)
            {
                result.Append('$');
            }
            else
            {
                result.Append(lookup(text[(i + 2)..end]) ?? text[i..(end + 1)]);
                i = end;
            }
        }
        return result.ToString();
    }
}
