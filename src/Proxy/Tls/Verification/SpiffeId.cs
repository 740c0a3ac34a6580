using System.Buffers;

namespace Weft.Proxy.Tls.Verification;

/// <summary>The form of SPIFFE names (SPIFFE-ID section 2): one spelling for each, so that policies may compare texts.</summary>
internal static class SpiffeId
{
    private const string Scheme = "spiffe://";
    private const int MaxLength = 2048;
    private const int MaxDomainLength = 255;
    private static readonly SearchValues<char> DomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>The trust domain of a workload's name; null: it is none. A name without a path is a domain's own, never a workload's.</summary>
    public static string? TrustDomain(string id)
    {
        if (id.Length > MaxLength || !id.StartsWith(Scheme, StringComparison.Ordinal))
            return null;
        var rest = id.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        if (slash is <= 0 or > MaxDomainLength || rest[..slash].ContainsAnyExcept(DomainCharacters))
            return null;
        var path = rest[(slash + 1)..];
        foreach (var range in path.Split('/'))
        {
            if (path[range] is "" or "." or ".." || path[range].ContainsAnyExcept(PathCharacters))
                return null;
        }

        return rest[..slash].ToString();
    }
}
