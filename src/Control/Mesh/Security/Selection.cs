using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Security;

/// <summary>Which workloads a policy is for.</summary>
internal static class Selection
{
    /// <summary>In its own namespace, or everywhere from the root namespace.</summary>
    public static bool IsFor(PolicySelector? selector, ValueMap labels) => selector is null || new ValueMap(selector.MatchLabels).IsSubsetOf(labels);

    /// <summary>A policy for objects of the Gateway API selects no workloads here.</summary>
    public static bool IsForWorkloads(PolicyTargetReference? reference, IReadOnlyList<PolicyTargetReference> references) => reference is null && references.Count == 0;

    public static void Check(PolicyTargetReference? reference, IReadOnlyList<PolicyTargetReference> references, Problems problems)
        => problems.UnsupportedIf(!IsForWorkloads(reference, references), reference is null ? "spec.targetRefs" : "spec.targetRef", "the policy has no effect; use a selector");
}
