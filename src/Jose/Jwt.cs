using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Jose;

/// <summary>What a token must say besides its signature.</summary>
public sealed record JwtRules
{
    public required string Issuer { get; init; }

    /// <summary>The token must name one of these; empty accepts any audience.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>Clocks of an issuer on another machine may differ; an own token needs none.</summary>
    public TimeSpan Skew { get; init; } = TimeSpan.Zero;

    /// <summary>A token without an expiry is refused unless this is false.</summary>
    public bool RequireExpiry { get; init; } = true;

    /// <summary>Accepted `typ` headers. RFC 8725 3.11: a token made for another protocol step (logout+jwt) is no credential.</summary>
    public IReadOnlyList<string> Types { get; init; } = ["JWT"];
    public JoseLimits Limits { get; init; } = JoseLimits.Default;
}

public readonly record struct JwtResult(TokenError Error, JwtClaims? Claims)
{
    public bool Succeeded => Error == TokenError.None;
}

/// <summary>Signed JSON web tokens (RFC 7519).</summary>
public static class Jwt
{
    public static string Sign(JsonObject claims, SigningKey key) => Jws.Sign(Encoding.UTF8.GetBytes(claims.ToJsonString()), key);

    public static JwtResult Verify(string token, KeySet keys, JwtRules rules, DateTimeOffset now)
    {
        var signed = Jws.Verify(token, keys, rules.Limits);
        if (signed.Error != TokenError.None)
            return new(signed.Error, null);
        if (signed.Type is not null && !rules.Types.Contains(signed.Type, StringComparer.OrdinalIgnoreCase))
            return new(TokenError.WrongType, null);

        var error = JwtClaims.TryParse(signed.Payload, rules.Limits, out var claims);
        if (error == TokenError.None)
            error = Check(claims, rules, now);
        return error == TokenError.None ? new(TokenError.None, claims) : new(error, null);
    }

    private static TokenError Check(JwtClaims claims, JwtRules rules, DateTimeOffset now)
    {
        if (claims.Issuer != rules.Issuer)
            return TokenError.WrongIssuer;
        if (claims.Expires is null && rules.RequireExpiry)
            return TokenError.Expired;
        if (claims.Expires is { } expires && now >= expires + rules.Skew)
            return TokenError.Expired;
        if (claims.NotBefore is { } notBefore && now < notBefore - rules.Skew)
            return TokenError.NotYetValid;
        if (rules.Audiences.Count > 0 && !rules.Audiences.Any(claims.Audiences.Contains))
            return TokenError.WrongAudience;
        return TokenError.None;
    }
}
