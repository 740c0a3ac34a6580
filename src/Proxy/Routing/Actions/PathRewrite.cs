using System.Text;
using System.Text.RegularExpressions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A new path from an old one, for rewrites and redirects. What comes out is normalised as what came in.</summary>
internal sealed class PathRewrite
{
    private static readonly PathSettings Output = new() { EscapedSlashes = EscapedSlashes.Keep };

    private readonly byte[]? _prefix;
    private readonly byte[]? _whole;
    private readonly Regex? _regex;
    private readonly string _substitution = "";

    private PathRewrite(string? prefix, string? whole, RegexRewrite? regex)
    {
        _prefix = prefix is null ? null : Encoding.ASCII.GetBytes(CanonicalPath.Part(prefix));
        _whole = whole is null ? null : Encoding.ASCII.GetBytes(CanonicalPath.Whole(whole));
        if (regex is not null)
            (_regex, _substitution) = (LinearRegex.Part(regex.Pattern), Substitution(regex.Substitution));
    }

    /// <summary>Null: the path stays.</summary>
    public static PathRewrite? Of(string? prefix, string? whole, RegexRewrite? regex) => prefix is null && whole is null && regex is null ? null : new(prefix, whole, regex);

    public bool TryApply(ReadOnlySpan<byte> path, int prefixLength, out byte[] result)
    {
        result = _whole ?? (_prefix is null ? Encoding.ASCII.GetBytes(_regex!.Replace(Encoding.ASCII.GetString(path), _substitution)) : Join(_prefix, path, prefixLength));
        if (_whole is not null)
            return true;
        // Parts that were harmless may make a dot segment together.
        var normalised = new RequestPath();
        if (PathNormalizer.Normalize(result, Output, normalised) != PathError.None || normalised.HasQuery)
            return false;
        result = normalised.Path.ToArray();
        return true;
    }

    // One slash at the seam: `/a` to `/b` makes `/a/x` to `/b/x` and `/a/` to `/b/`; `/a` to `/` makes `/a/x` to `/x`; `/` to `/b` makes `/x` to `/b/x`.
    private static byte[] Join(byte[] prefix, ReadOnlySpan<byte> path, int prefixLength)
    {
        var rest = path[prefixLength..];
        var matched = path[..prefixLength];
        ReadOnlySpan<byte> start = prefix;
        if (start.EndsWith("/"u8) && rest.StartsWith("/"u8))
            start = start[..^1];
        else if (matched.EndsWith("/"u8) && !start.EndsWith("/"u8) && !rest.IsEmpty && rest[0] != '/')
            return [.. start, (byte)'/', .. rest];
        if (start.IsEmpty && (rest.IsEmpty || rest[0] != '/'))
            return [(byte)'/', .. rest];
        return [.. start, .. rest];
    }

    /// <summary>From RE2's `\1` to .NET's `${1}`.</summary>
    internal static string Substitution(string text)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                i++;
                _ = char.IsAsciiDigit(text[i]) ? result.Append($"${{{text[i]}}}") : result.Append(text[i] == '$' ? "$$" : text[i]);
            }
            else
            {
                result.Append(text[i] == '$' ? "$$" : text[i]);
            }
        }

        return result.ToString();
    }
}
