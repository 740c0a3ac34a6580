using Weft.Jose;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>Who a verified token says its bearer is, as Istio's rules name it.</summary>
/// <param name="lists">Claims that are lists of words.</param>
internal sealed class TokenIdentity(JwtClaims claims, ValueList<string> lists) : RequestIdentity
{
    /// <summary>Empty, which no rule matches, for a token without a subject: the issuer alone is nobody.</summary>
    public override string Principal { get; } = claims is { Issuer: { Length: > 0 } issuer, Subject: { Length: > 0 } subject } ? $"{issuer}/{subject}" : "";

    public override IReadOnlyList<string> Audiences => claims.Audiences;

    public override string? Presenter { get; } = ClaimText.Values(claims.Root, "azp") is [var presenter] ? presenter : null;

    public override IReadOnlyList<string> Claim(IReadOnlyList<string> path) => ClaimText.Words(claims.Root, path, lists);
}
