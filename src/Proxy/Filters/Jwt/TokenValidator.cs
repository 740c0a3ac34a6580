using System.Collections.Immutable;
using Weft.Jose;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Jwt;

internal enum TokenVerdict
{
    /// <summary>There is none; whether that will do is for others to say.</summary>
    Missing,
    Good,
    /// <summary>401, in any case.</summary>
    Refused,
    /// <summary>Its key is not known yet, and a fetch is under way: the same question after it may have another answer.</summary>
    Pending,
}

/// <param name="Reason">For the record, never with a part of the token; null when it is good or missing.</param>
internal readonly record struct TokenOutcome(TokenVerdict Verdict, JwtClaims? Claims = null, string? Provider = null, string? Reason = null, Task? Fetch = null);

/// <summary>One issuer. Its keys are fixed (here or in a file) or come from a source.</summary>
internal sealed record TokenProvider(string Name, JwtRules Rules, TokenLocations Locations)
{
    public KeySet? FixedKeys { get; init; }

    public KeySource? Source { get; init; }
}

/// <summary>Checks the token of a request against the provider whose issuer it names. Pure but for what <see cref="KeySource"/> begins.</summary>
internal sealed class TokenValidator(ImmutableArray<TokenProvider> providers)
{
    public TokenOutcome Check(RequestHead head, DateTimeOffset now)
    {
        string? first = null;
        TokenProvider? claimed = null;
        foreach (var provider in providers)
        {
            switch (provider.Locations.Find(head, out var token))
            {
                case TokenCount.Several:
                    return new(TokenVerdict.Refused, Reason: "the request has several tokens");
                case TokenCount.One when first is not null && first != token:
                    return new(TokenVerdict.Refused, Reason: "the request has several tokens");
                case TokenCount.One:
                    first = token;
                    claimed ??= JwtClaims.PeekIssuer(token, provider.Rules.Limits) == provider.Rules.Issuer ? provider : null;
                    break;
            }
        }

        if (first is null)
            return new(TokenVerdict.Missing);
        return claimed is null ? new(TokenVerdict.Refused, Reason: "the token is not well-formed, or of no issuer that is known") : Check(first, claimed, now);
    }

    private static TokenOutcome Check(string token, TokenProvider provider, DateTimeOffset now)
    {
        var fetch = provider.Source?.Refresh();
        if ((provider.FixedKeys ?? provider.Source?.Keys) is not { } keys)
            return Without(provider, fetch, "the issuer's keys are not to be had");
        var result = Weft.Jose.Jwt.Verify(token, keys, provider.Rules, now);
        if (result.Succeeded)
            return new(TokenVerdict.Good, result.Claims, provider.Name);
        var reason = TokenErrors.Describe(result.Error);
        return result.Error == TokenError.UnknownKey
            ? Without(provider, fetch ?? provider.Source?.RefreshForUnknownKey(), reason)
            : new(TokenVerdict.Refused, Provider: provider.Name, Reason: reason);
    }

    private static TokenOutcome Without(TokenProvider provider, Task? fetch, string reason) =>
        new(fetch is null ? TokenVerdict.Refused : TokenVerdict.Pending, Provider: provider.Name, Reason: reason, Fetch: fetch);
}
