using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh.State;

/// <summary>What the filters of requests say of connections of which no request is known.</summary>
internal static class Connections
{
    /// <summary>An authorizer cannot be asked about bytes: what it would be asked about is refused. Tokens are of requests.</summary>
    public static ValueList<AuthorizationPolicyConfig> PoliciesOf(ValueList<FilterConfig> filters) => filters
        .OfType<ExternalAuthorizationFilter>().Select(Refusing).Concat(filters.OfType<AuthorizationFilter>().SelectMany(filter => filter.Policies)).ToValueList();

    /// <summary>Whether it needs requests to be decided as it is meant.</summary>
    public static bool NeedRequests(ValueList<FilterConfig> filters) => filters.Any(filter => filter switch
    {
        JwtFilter or ExternalAuthorizationFilter => true,
        AuthorizationFilter own => own.Policies.Any(policy => policy.Rules.Any(AsksRequest)),
        _ => false,
    });

    private static AuthorizationPolicyConfig Refusing(ExternalAuthorizationFilter filter) => new()
    {
        Name = filter.Name.Length > 0 ? filter.Name : filter.Cluster, Action = AuthorizationAction.Deny, Rules = filter.When.IsEmpty ? [new AuthorizationRule()] : filter.When,
    };

    private static bool AsksRequest(AuthorizationRule rule) =>
        rule.From.Any(source => !(source.RequestPrincipals.IsEmpty && source.NotRequestPrincipals.IsEmpty && source.RemoteIpBlocks.IsEmpty && source.NotRemoteIpBlocks.IsEmpty))
        || rule.To.Any(operation => !(operation.Hosts.IsEmpty && operation.NotHosts.IsEmpty && operation.Methods.IsEmpty && operation.NotMethods.IsEmpty && operation.Paths.IsEmpty && operation.NotPaths.IsEmpty))
        || rule.When.Any(condition => condition.Key.StartsWith("request.", StringComparison.Ordinal) || condition.Key is "remote.ip" or "connection.sni");
}
