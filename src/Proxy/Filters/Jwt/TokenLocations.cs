using System.Collections.Immutable;
using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>Where a token may stand. Header names in lower case; a prefix (`Bearer `) is compared without case, as schemes are (RFC 9110 section 11.1).</summary>
internal sealed record TokenLocations
{
    public ImmutableArray<(string Header, string Prefix)> Headers { get; init; } = [];

    public ImmutableArray<string> QueryParameters { get; init; } = [];

    public ImmutableArray<string> Cookies { get; init; } = [];

    public static TokenLocations Bearer { get; } = new() { Headers = [("authorization", "Bearer ")] };

    /// <summary>RFC 6750 section 2: one token by one way. Of two, the endpoint might read another than was checked here.</summary>
    public TokenCount Find(RequestHead head, out string token)
    {
        var found = new List<string>(1);
        foreach (var (name, prefix) in Headers)
        {
            var bytes = Encoding.ASCII.GetBytes(name);
            for (var i = head.Headers.IndexOf(bytes); i >= 0; i = head.Headers.IndexOf(bytes, i + 1))
            {
                var value = Encoding.Latin1.GetString(head.Headers.Value(i));
                if (value.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                    found.Add(value[prefix.Length..].Trim(' '));
            }
        }

        var target = Encoding.Latin1.GetString(head.Target);
        var question = target.IndexOf('?', StringComparison.Ordinal);
        if (question >= 0 && !QueryParameters.IsEmpty)
            AddPairs(target[(question + 1)..], '&', QueryParameters, found, Uri.UnescapeDataString);
        for (var i = head.Headers.IndexOf(KnownHeader.Cookie); i >= 0 && !Cookies.IsEmpty; i = head.Headers.IndexOf(KnownHeader.Cookie, i + 1))
            AddPairs(Encoding.Latin1.GetString(head.Headers.Value(i)), ';', Cookies, found, static text => text);

        token = found.Count == 1 ? found[0] : "";
        return found.Count switch { 0 => TokenCount.None, 1 => TokenCount.One, _ => TokenCount.Several };
    }

    // A name that the endpoint would decode must not get past the search.
    private static void AddPairs(string text, char separator, ImmutableArray<string> names, List<string> found, Func<string, string> decode)
    {
        foreach (var pair in text.Split(separator, StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && names.Contains(decode(pair[..equals])))
                found.Add(decode(pair[(equals + 1)..]));
        }
    }
}

internal enum TokenCount { None, One, Several }
