using Weft.Api.Istio;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Security;

/// <summary>
/// Authorization policies. What cannot be understood closes the door: a rule that allows is taken out, one that refuses refuses everything, one that asks asks about
/// everything.
/// </summary>
internal static class AuthorizationReader
{
    /// <summary>Istio's: what the policy would decide is recorded, and not done.</summary>
    private const string DryRun = "istio.io/dry-run";

    private static readonly AuthorizationRule Everything = new();

    public static PolicyUnit Read(AuthorizationPolicy policy, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec) = (Problems.Of(policy, diagnostics), policy.Spec);
        var name = MeshIndex.Name(policy);
        Selection.Check(PolicyScope.Of(policy), lookups, problems);
        var rules = spec.Rules.Select((rule, i) => RuleReader.Read(rule, $"spec.rules[{i}]", policy.Metadata.Namespace ?? "", problems)).ToList();
        if (spec.Provider is not null && spec.Action != "CUSTOM")
            problems.Error("spec.provider", "is for the action CUSTOM; leave it out, or write the action");
        var isDryRun = IsDryRun(policy, problems);
        switch (spec.Action)
        {
            case null or "ALLOW":
                return Own(name, AuthorizationAction.Allow, isDryRun, rules.OfType<AuthorizationRule>());
            case "DENY":
                if (spec.Rules.Count == 0)
                    problems.Warn("spec.rules", "is empty, so the policy refuses nothing; write '- {}' to refuse everything");
                return Own(name, AuthorizationAction.Deny, isDryRun, rules.Select(rule => rule ?? Everything));
            case "AUDIT":
                return Own(name, AuthorizationAction.Audit, isDryRun, rules.OfType<AuthorizationRule>());
            case "CUSTOM":
                problems.UnsupportedIf(isDryRun, $"metadata.annotations[{DryRun}]", "whom CUSTOM asks decides in earnest");
                return Custom(policy, rules, lookups, problems);
            default:
                problems.Error("spec.action", $"'{spec.Action}' is none of ALLOW, DENY, AUDIT and CUSTOM; everything is refused");
                return RefuseAll(name);
        }
    }

    public static PolicyUnit RefuseAll(string name) => Own(name, AuthorizationAction.Deny, false, [Everything]);

    private static bool IsDryRun(AuthorizationPolicy policy, Problems problems)
    {
        if (!policy.Metadata.Annotations.TryGetValue(DryRun, out var text))
            return false;
        if (bool.TryParse(text, out var value))
            return value;
        problems.Error($"metadata.annotations[{DryRun}]", $"'{text}' is neither true nor false; the policy decides in earnest");
        return false;
    }

    private static PolicyUnit Custom(AuthorizationPolicy policy, List<AuthorizationRule?> rules, MeshLookups lookups, Problems problems)
    {
        var name = policy.Spec.Provider?.Name ?? "";
        var provider = lookups.Settings.Authorizers.FirstOrDefault(other => other.Name == name);
        // An authorizer that is not there lets nobody pass.
        var refusal = Own(MeshIndex.Name(policy), AuthorizationAction.Deny, false, rules.Select(rule => rule ?? Everything));
        if (provider is null)
        {
            problems.Error("spec.provider.name", name.Length == 0
                ? "is missing; name one of the mesh's authorizers" : $"the mesh has no authorizer '{name}', and what it was to be asked about is refused; it has {string.Join(", ", lookups.Settings.Authorizers.Select(other => other.Name).DefaultIfEmpty("none"))}");
            return refusal;
        }

        if (lookups.Host(provider.Service) is not { } host || host.Port(provider.Port) is null)
        {
            problems.Error("spec.provider.name", $"authorizer '{name}' is at {provider.Service}:{provider.Port}, which there is not; what it was to be asked about is refused");
            return refusal;
        }

        if (rules.Count == 0)
        {
            problems.Warn("spec.rules", "is empty, so nobody is asked; write '- {}' to ask about everything");
            return Own(MeshIndex.Name(policy), AuthorizationAction.Audit, false, []);
        }

        return new()
        {
            External = new()
            {
                Name = MeshIndex.Name(policy), Cluster = ClusterNames.Of(host, provider.Port, null, ""), Protocol = provider.Protocol, PathPrefix = provider.PathPrefix, Timeout = provider.Timeout,
                FailOpen = provider.FailOpen, ErrorStatus = provider.ErrorStatus, RequestHeaders = provider.RequestHeaders, UpstreamHeaders = provider.UpstreamHeaders, ClientHeaders = provider.ClientHeaders,
                When = rules.Select(rule => rule ?? Everything).ToValueList(),
            },
        };
    }

    private static PolicyUnit Own(string name, AuthorizationAction action, bool isDryRun, IEnumerable<AuthorizationRule> rules)
        => new() { Authorization = new() { Name = name, Action = action, DryRun = isDryRun, Rules = rules.ToValueList() } };
}
