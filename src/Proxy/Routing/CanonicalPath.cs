using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Routing;

/// <summary>Paths of a configuration in the form that <see cref="PathNormalizer"/> gives to those of requests, so that `/caf&#233;` and `/%7euser` match what clients send.</summary>
internal static class CanonicalPath
{
    private static readonly PathSettings Lenient = new() { EscapedSlashes = EscapedSlashes.Keep };

    /// <exception cref="ArgumentException">No request could have this path.</exception>
    public static string Whole(string path)
    {
        var result = new RequestPath();
        var error = path.Contains('?') ? PathError.NotAbsolute : PathNormalizer.Normalize(Encoding.UTF8.GetBytes(path), Lenient, result);
        if (error != PathError.None)
            throw new ArgumentException($"'{path}' can be no path of a request: {PathErrors.Text(error)}");
        return Encoding.ASCII.GetString(result.Path);
    }

    /// <summary>A part of a path: only its characters are brought into form.</summary>
    public static string Part(string text)
    {
        var result = new StringBuilder(text.Length);
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && PercentCode.TryHex(bytes, i + 1, out var value))
            {
                _ = PercentCode.IsUnreserved(value) ? result.Append((char)value) : result.Append('%').Append(value.ToString("X2"));
                i += 2;
            }
            else
            {
                _ = PathNormalizer.MayStand(bytes[i]) ? result.Append((char)bytes[i]) : result.Append('%').Append(bytes[i].ToString("X2"));
            }
        }

        return result.ToString();
    }
}
