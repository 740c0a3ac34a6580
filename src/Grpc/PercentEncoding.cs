using System.Globalization;
using System.Text;

namespace Weft.Grpc;

/// <summary>`grpc-message` is UTF-8 with everything but printable ASCII, and `%`, as %XX. What is not well-formed stays as it is: a message must not be lost for it.</summary>
internal static class PercentEncoding
{
    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes([text[i]]));
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
