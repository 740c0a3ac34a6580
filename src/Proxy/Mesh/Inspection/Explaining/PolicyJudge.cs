using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Jwt;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <param name="Status">That is answered instead; null: the connection is closed.</param>
/// <param name="Depends">On a server that would have to be asked.</param>
internal sealed record Judgement(bool Allowed, int? Status, string Text, bool Depends, IReadOnlyList<string> Why)
{
    /// <summary>Of the request's token, when somebody asks for one and takes it.</summary>
    public ImaginedIdentity? Token { get; init; }
}

/// <summary>Asks the filters of a workload, or of the front door, about a request.</summary>
internal static class PolicyJudge
{
    /// <param name="request">Null: bytes of which nothing more is known.</param>
    public static Judgement Of(ValueList<FilterConfig> filters, ConnectionFacts connection, RequestFacts? request, ImaginedIdentity? token, MeshState state)
    {
        var why = new List<string>();
        var depends = false;
        ImaginedIdentity? identity = null;
        foreach (var filter in request is null ? [] : filters.AsSpan().ToArray())
        {
            switch (filter)
            {
                case JwtFilter jwt:
                    if (Token(jwt, request!, token, state, why, out identity) is { } turnedAway)
                        return turnedAway;
                    break;
                case ApiKeyFilter or BasicAuthFilter or ExternalAuthorizationFilter:
                    depends = true;
                    why.Add(RouteTexts.Of(filter)!);
                    break;
                case AuthorizationFilter own when Refusal(own.Policies, connection, request, identity, why) is { } refused:
                    return refused;
            }
        }

        if (request is null && Refusal(Connections.PoliciesOf(filters), connection, null, null, why) is { } closed)
            return closed with { Status = null };
        return new(true, null, why.LastOrDefault(line => line.StartsWith("allowed", StringComparison.Ordinal)) ?? (depends ? "depends on who is asked" : "no policy refuses it"), depends, why) { Token = identity };
    }

    // As the filter itself: where each issuer looks, the token's own issuer, and what it must say.
    private static Judgement? Token(JwtFilter jwt, RequestFacts request, ImaginedIdentity? shown, MeshState state, List<string> why, out ImaginedIdentity? identity)
    {
        var issuers = state.JwtProviders.Where(provider => jwt.Providers.Contains(provider.Name)).Concat(jwt.Issuers).ToList();
        why.Add($"tokens are checked: {string.Join(", ", issuers.Select(issuer => issuer.Issuer))}");
        identity = issuers.Select(issuer => ImaginedRequest.TokenOf(request, issuer)).FirstOrDefault(found => found is not null);
        if (identity is null && issuers.Exists(issuer => ImaginedRequest.HasToken(request, issuer)))
            return new(false, 401, $"refused: the token's issuer '{shown?.Issuer}' is none that is known here", false, why);
        if (identity is null)
        {
            if (!jwt.AllowMissing)
                return new(false, 401, "refused: a token is asked for", false, why);
            why.Add("the request has no token, and passes this as nobody");
            return null;
        }

        if (new TokenRequirements(jwt).Unmet(identity) is { } unmet)
            return new(false, 403, $"refused: the token has not {unmet}", false, why);
        why.Add($"the token is taken as valid, of {identity.Principal}; its signature and times are checked when it is sent");
        return null;
    }

    private static Judgement? Refusal(ValueList<AuthorizationPolicyConfig> policies, ConnectionFacts connection, RequestFacts? request, RequestIdentity? identity, List<string> why)
    {
        if (policies.IsEmpty)
            return null;
        var findings = new List<PolicyFinding>();
        var decision = new PolicySet(policies).Check(connection, request, identity, findings);
        why.AddRange(findings.Select(finding => finding.Kind == "audit"
            ? $"audited by {finding.Policy} rule {finding.Rule}"
            : $"on trial: {(finding.Policy.Length == 0 ? "no ALLOW policy on trial would allow it" : $"{finding.Policy} rule {finding.Rule} would have {(finding.Kind == "dry-run-deny" ? "refused" : "allowed")} it")}"));
        if (!decision.Allowed && decision.Policy is { } policy)
            return new(false, 403, $"refused by {policy}{(decision.Rule >= 0 ? $" rule {decision.Rule}" : "")}", false, why);
        var allowing = policies.Where(one => one is { Action: AuthorizationAction.Allow, DryRun: false }).Select(one => one.Name).ToList();
        if (!decision.Allowed)
            return new(false, 403, $"refused: none of the ALLOW policies takes it ({string.Join(", ", allowing)})", false, [.. why, .. Near(policies, connection)]);
        why.Add(decision.Policy is { } by ? $"allowed by {by} rule {decision.Rule}" : "allowed: there is no ALLOW policy, and no DENY policy takes it");
        return null;
    }

    // What somebody who is refused looks for first.
    private static IEnumerable<string> Near(ValueList<AuthorizationPolicyConfig> policies, ConnectionFacts connection)
    {
        yield return connection.Identity is { } identity ? $"the client is {identity}" : "the client has no identity: it is not in the mesh, or does not come by mutual TLS";
        foreach (var policy in policies.Where(one => one is { Action: AuthorizationAction.Allow, DryRun: false }))
        {
            if (policy.Rules.IsEmpty)
                yield return $"{policy.Name} has no rules, so it allows nothing";
            foreach (var (i, rule) in policy.Rules.Index())
                yield return $"{policy.Name} rule {i} is for {Text(rule)}";
        }
    }

    private static string Text(AuthorizationRule rule)
    {
        var parts = new List<string>();
        foreach (var from in rule.From)
            parts.Add("from " + Lists(("principals", from.Principals), ("not principals", from.NotPrincipals), ("request principals", from.RequestPrincipals), ("namespaces", from.Namespaces), ("not namespaces", from.NotNamespaces), ("service accounts", from.ServiceAccounts), ("addresses", from.IpBlocks), ("client addresses", from.RemoteIpBlocks)));
        foreach (var to in rule.To)
            parts.Add("to " + Lists(("hosts", to.Hosts), ("ports", to.Ports.Select(port => $"{port}").ToValueList()), ("methods", to.Methods), ("not methods", to.NotMethods), ("paths", to.Paths), ("not paths", to.NotPaths)));
        foreach (var when in rule.When)
            parts.Add($"when {when.Key} {string.Join(" or ", when.Values.Concat(when.NotValues.Select(value => "not " + value)))}");
        return parts.Count == 0 ? "everybody" : string.Join("; ", parts);
    }

    private static string Lists(params (string Name, ValueList<string> Values)[] lists) =>
        string.Join(", ", lists.Where(list => !list.Values.IsEmpty).Select(list => $"{list.Name} {string.Join(" or ", list.Values)}")) is { Length: > 0 } text ? text : "other conditions";
}
