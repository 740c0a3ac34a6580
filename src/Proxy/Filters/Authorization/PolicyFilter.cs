using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Authorization;

internal sealed class PolicyFilter(AuthorizationFilter config) : RequestFilter
{
    private readonly PolicySet _policies = new(config.Policies);

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var decision = _policies.Check(context.Connection, context.Facts, context.Identity, context.Findings);
        (context.Policy, context.PolicyRule) = (decision.Policy ?? context.Policy, decision.Rule);
        // Nothing of the reason goes to the client: it would tell what to try next. The record has it.
        return decision.Allowed ? FilterVerdict.Continue : context.Respond(403, decision.Policy is null ? "policy_none_allows" : "policy_denied", "access denied\n");
    }
}
