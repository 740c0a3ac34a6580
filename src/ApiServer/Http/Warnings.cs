using System.Text;
using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>`Warning: 299 - "text"` (RFC 7234 5.5), as Kubernetes sends it: kubectl prints each once.</summary>
internal static class Warnings
{
    // Kubernetes' limits: 256 characters a warning once all together pass 4 KiB.
    private const int MaxTotal = 4096;
    private const int MaxEach = 256;

    public static void Write(IHeaderDictionary headers, IReadOnlyList<string> warnings)
    {
        if (warnings.Count == 0)
            return;

        var total = warnings.Sum(text => text.Length);
        var values = new List<string>(warnings.Count);
        var length = 0;
        foreach (var text in warnings)
        {
            var value = "299 - " + Quote(total > MaxTotal && text.Length > MaxEach ? text[..MaxEach] : text);
            length += value.Length;
            if (length > MaxTotal && values.Count > 0)
                break;
            values.Add(value);
        }
        headers.Append("Warning", values.ToArray());
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            // A header is ASCII without controls: a text of an object must not end the line.
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else
                quoted.Append(char.IsControl(c) ? ' ' : char.IsAscii(c) ? c : '?');
        }
        return quoted.Append('"').ToString();
    }
}
