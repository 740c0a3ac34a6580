using System.Text;
using Weft.Jose;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>A provider, and what is done with its tokens.</summary>
internal sealed record TokenIssuer(JwtProviderConfig Config, TokenProvider Provider)
{
    // RFC 9068 section 2.1 for access tokens; a token for another step (a logout) is no credential (RFC 8725 section 3.11).
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt"];

    public byte[]? PayloadHeader { get; } = Config.PayloadHeader is { } name ? Bytes(name) : null;

    public (byte[] Name, string Claim)[] ClaimHeaders { get; } = [.. Config.ClaimHeaders.Select(h => (Bytes(h.Header), h.Claim))];

    /// <summary>Fields that the endpoint believes: no client may send them.</summary>
    public IEnumerable<string> OwnHeaders => Config.ClaimHeaders.Select(h => h.Header).Concat(Config.PayloadHeader is { } name ? [name] : []);

    public static TokenIssuer Of(JwtProviderConfig config, KeySet? keys, KeySource? source)
    {
        var rules = new JwtRules { Issuer = config.Issuer, Audiences = config.Audiences, Skew = config.ClockSkew, Types = Types };
        return new(config, new TokenProvider(config.Name, rules, LocationsOf(config)) { FixedKeys = keys, Source = source });
    }

    public static TokenLocations LocationsOf(JwtProviderConfig config)
        => config.FromHeaders.IsEmpty && config.FromQuery.IsEmpty && config.FromCookies.IsEmpty
            ? TokenLocations.Bearer
            : new TokenLocations
            {
                Headers = [.. config.FromHeaders.Select(h => (h.Name.ToLowerInvariant(), h.Prefix))],
                QueryParameters = [.. config.FromQuery],
                Cookies = [.. config.FromCookies],
            };

    private static byte[] Bytes(string name) => Encoding.ASCII.GetBytes(name.ToLowerInvariant());
}
