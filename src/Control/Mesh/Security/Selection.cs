using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Security;

/// <summary>Whom a policy is for, as its specification says it.</summary>
/// <param name="Policy">In whose namespace its targets are.</param>
/// <param name="Old">`targetRef`, the form with one target.</param>
internal readonly record struct PolicyScope(IObject Policy, PolicySelector? Selector, PolicyTargetReference? Old, IReadOnlyList<PolicyTargetReference> References)
{
    public static PolicyScope Of(AuthorizationPolicy policy) => new(policy, policy.Spec.Selector, policy.Spec.TargetRef, policy.Spec.TargetRefs);

    public static PolicyScope Of(RequestAuthentication policy) => new(policy, policy.Spec.Selector, policy.Spec.TargetRef, policy.Spec.TargetRefs);

    public static PolicyScope Of(Telemetry policy) => new(policy, policy.Spec.Selector, policy.Spec.TargetRef, policy.Spec.TargetRefs);

    public string Namespace => Policy.Metadata.Namespace ?? "";

    public bool HasTargets => Old is not null || References.Count > 0;

    /// <summary>Each with the field where it stands.</summary>
    public IEnumerable<(string Field, PolicyTargetReference Target)> Targets
        => (Old is { } old ? [("spec.targetRef", old)] : Array.Empty<(string, PolicyTargetReference)>()).Concat(References.Select((target, i) => ($"spec.targetRefs[{i}]", target)));
}

/// <summary>Which workloads a policy is for.</summary>
internal static class Selection
{
    /// <summary>In its own namespace, or everywhere from the root namespace.</summary>
    public static bool IsFor(PolicySelector? selector, ValueMap labels) => selector is null || new ValueMap(selector.MatchLabels).IsSubsetOf(labels);

    /// <summary>Targets are of the policy's namespace, wherever that is. Where a selector stands beside them, which is an error, both count: a policy must not let in whom one of them keeps out.</summary>
    public static bool IsFor(PolicyScope scope, string @namespace, ValueMap labels, MeshLookups lookups)
        => !scope.HasTargets ? IsFor(scope.Selector, labels)
            : (scope.Selector is not null && IsFor(scope.Selector, labels)) || (scope.Namespace == @namespace && scope.Targets.Any(item => PolicyTargets.Reaches(item.Target, @namespace, labels, lookups)));

    public static void Check(PolicyScope scope, MeshLookups lookups, Problems problems)
    {
        if (scope is { HasTargets: true, Selector: not null })
            problems.Error("spec.selector", "stands beside targetRefs; keep one of them. Until then it holds for the workloads of both");
        foreach (var (field, target) in scope.Targets)
            PolicyTargets.Check(target, scope.Old is null ? field : Effects.Whole, field, scope.Namespace, lookups, problems);
    }
}
