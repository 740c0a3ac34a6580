using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Filters.Authorization;

/// <param name="Policy">That decided; null: no policy allows it, or there is none at all.</param>
/// <param name="Rule">Of the policy, from 0 on; -1: none.</param>
internal readonly record struct PolicyDecision(bool Allowed, string? Policy, int Rule);

/// <summary>Policies that hold together (Istio): what one refuses is refused; where some allow, what none of them allows is refused, too.</summary>
internal sealed class PolicySet
{
    private readonly Policy[] _audit;
    private readonly Policy[] _deny;
    private readonly Policy[] _allow;
    private readonly bool _hasAllow;
    private readonly bool _hasTriedAllow;

    public PolicySet(IEnumerable<AuthorizationPolicyConfig> policies)
    {
        var all = policies.Select(p => new Policy(p)).ToList();
        _audit = [.. all.Where(p => p.Action == AuthorizationAction.Audit)];
        _deny = [.. all.Where(p => p.Action == AuthorizationAction.Deny)];
        _allow = [.. all.Where(p => p.Action == AuthorizationAction.Allow)];
        _hasAllow = _allow.Any(p => !p.DryRun);
        _hasTriedAllow = _allow.Any(p => p.DryRun);
    }

    /// <summary>For a request.</summary>
    /// <param name="findings">Gets what policies found that do not decide.</param>
    public PolicyDecision Check(ConnectionFacts connection, RequestFacts? request, RequestIdentity? identity, List<PolicyFinding> findings)
    {
        var refusing = new PolicyInput(connection, request, identity, Unknown: true);
        var allowing = refusing with { Unknown = false };
        foreach (var policy in _audit)
        {
            if (policy.FirstMatch(allowing) is var rule and >= 0)
                findings.Add(new("audit", policy.Name, rule));
        }

        foreach (var policy in _deny)
        {
            if (policy.FirstMatch(refusing) is not (var rule and >= 0))
                continue;
            if (!policy.DryRun)
                return new(false, policy.Name, rule);
            findings.Add(new("dry-run-deny", policy.Name, rule));
        }

        return Allow(allowing, findings);
    }

    private PolicyDecision Allow(in PolicyInput input, List<PolicyFinding> findings)
    {
        var decision = new PolicyDecision(!_hasAllow, null, -1);
        var tried = false;
        foreach (var policy in _allow)
        {
            // Once one has allowed it, others of its kind say nothing new.
            if ((policy.DryRun ? tried : decision.Allowed) || policy.FirstMatch(input) is not (var rule and >= 0))
                continue;
            if (policy.DryRun)
            {
                tried = true;
                findings.Add(new("dry-run-allow", policy.Name, rule));
            }
            else
            {
                decision = new(true, policy.Name, rule);
            }
        }

        if (_hasTriedAllow && !tried)
            findings.Add(new("dry-run-deny", "", -1));
        return decision;
    }

    private sealed class Policy(AuthorizationPolicyConfig config)
    {
        private readonly PolicyRule[] _rules = [.. config.Rules.Select(r => new PolicyRule(r))];

        public string Name => config.Name;

        public AuthorizationAction Action => config.Action;

        public bool DryRun => config.DryRun;

        public int FirstMatch(in PolicyInput input)
        {
            for (var i = 0; i < _rules.Length; i++)
            {
                if (_rules[i].Matches(input))
                    return i;
            }

            return -1;
        }
    }
}
