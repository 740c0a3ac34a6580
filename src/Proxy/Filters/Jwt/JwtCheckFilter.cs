using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Headers;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>Bearer tokens (RFC 6750). A request waits while its issuer's keys are fetched; what a good token says is the identity of the request from here on.</summary>
internal sealed class JwtCheckFilter(JwtFilter config, ImmutableArray<TokenIssuer> issuers) : RequestFilter, IMadeAnew
{
    // Once for keys that are not there or old, once for a key that is new; a third wait could only be for a set that changes with every fetch.
    private const int MaxWaits = 2;
    private readonly TokenValidator _validator = new([.. issuers.Select(i => i.Provider)]);
    private readonly CredentialPlaces _places = new(issuers.Select(i => i.Provider.Locations));
    private readonly HeaderNames _own = new(issuers.SelectMany(i => i.OwnHeaders));
    private readonly TokenRequirements _required = new(config);

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var wait = context.State as ExchangeWait;
        var outcome = _validator.Check(context.Request, context.Host.Time);
        if (outcome is { Verdict: TokenVerdict.Pending, Fetch: { } fetch } && (wait?.Rounds ?? 0) < MaxWaits)
        {
            context.State = wait ??= new ExchangeWait(context.Host);
            wait.For(fetch);
            return FilterVerdict.Suspend;
        }

        context.State = null;
        _own.RemoveFrom(context.Request.Headers);
        if (outcome is { Verdict: TokenVerdict.Good, Claims: { } claims })
            return Accept(context, claims, issuers.First(i => i.Config.Name == outcome.Provider));
        _places.RemoveQuery(context);
        if (outcome.Verdict != TokenVerdict.Missing)
            return Refuse(context, outcome.Reason!);
        if (!config.AllowMissing)
            return Challenge.Respond(context, "jwt_missing", "Bearer realm=\"weft\""u8);
        // None was found, but what the endpoint might take for one goes.
        if (issuers.All(i => !i.Config.Forward))
            _places.RemoveFrom(context);
        return FilterVerdict.Continue;
    }

    public override void OnEnd(ExchangeContext context)
    {
        // It ends while it waits: what was not looked at is not recorded.
        if (context.State is ExchangeWait)
            _places.RemoveQuery(context);
    }

    private FilterVerdict Accept(ExchangeContext context, JwtClaims claims, TokenIssuer issuer)
    {
        var identity = new TokenIdentity(claims, issuer.Config.SpaceDelimitedClaims);
        if (_required.Unmet(identity) is not null)
        {
            _places.RemoveQuery(context);
            return Challenge.Respond(context, 403, "jwt_insufficient", "forbidden\n", _required.Challenge);
        }

        if (!issuer.Config.Forward)
            _places.RemoveFrom(context);
        context.Identity = identity;
        context.Facts.Token = identity;
        var headers = context.Request.Headers;
        if (issuer.PayloadHeader is { } payload)
            headers.Add(payload, Base64Url.EncodeToUtf8(Encoding.UTF8.GetBytes(claims.Root.GetRawText())));
        foreach (var (name, claim) in issuer.ClaimHeaders)
        {
            if (ClaimText.FieldValue(claims.Root, claim) is { } value)
                headers.Add(name, Encoding.ASCII.GetBytes(value));
        }

        return FilterVerdict.Continue;
    }

    // RFC 6750 section 3.1. Reasons are fixed sentences without quotes or backslashes, which the description must not have.
    private static FilterVerdict Refuse(ExchangeContext context, string reason)
        => Challenge.Respond(context, "jwt_refused", Encoding.ASCII.GetBytes($"Bearer realm=\"weft\", error=\"invalid_token\", error_description=\"{reason}\""));
}
