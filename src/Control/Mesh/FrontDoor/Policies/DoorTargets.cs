using Weft.Api;
using Weft.Api.FrontDoor;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.FrontDoor.Policies;

/// <summary>What policies of our own kinds are for.</summary>
internal static class DoorTargets
{
    private static readonly Dictionary<string, string> Groups = new()
    {
        ["Gateway"] = "networking.istio.io", ["VirtualService"] = "networking.istio.io", ["Ingress"] = "networking.k8s.io", ["Service"] = "",
    };

    /// <summary>Those that can be, in the policy's own namespace.</summary>
    public static IEnumerable<ObjectRef> TargetsOf(IObject policy)
        => RefsOf(policy).Where(target => Wrong(target, policy) is null).Select(target => new ObjectRef(target.Kind, policy.Metadata.Namespace ?? "", target.Name))
            .Concat(policy is JwtPolicy ? [Problems.RefOf(policy)] : []); // what is for itself is found by its own name

    public static void Check(IObject policy, Problems problems)
    {
        // An Ingress may name it.
        if (RefsOf(policy).Count == 0 && policy is not JwtPolicy)
            problems.Error("spec.targetRefs", "is missing; say what the policy is for");
        foreach (var (i, target) in RefsOf(policy).Index())
        {
            if (Wrong(target, policy) is var (field, message))
                problems.Error($"spec.targetRefs[{i}].{field}", message);
        }
    }

    // A user's definition in place of ours may let in null where a list or a name is.
    private static List<PolicyTargetReference> RefsOf(IObject policy)
    {
        var targets = policy switch
        {
            RateLimitPolicy limits => limits.Spec?.TargetRefs,
            ApiKeyPolicy keys => keys.Spec?.TargetRefs,
            BasicAuthPolicy passwords => passwords.Spec?.TargetRefs,
            JwtPolicy tokens => tokens.Spec?.TargetRefs,
            _ => null,
        };
        return [.. (targets ?? []).Select(target => (target ?? new()) with { Kind = target?.Kind ?? "", Name = target?.Name ?? "" })];
    }

    private static (string Field, string Message)? Wrong(PolicyTargetReference target, IObject policy)
    {
        if (!Groups.TryGetValue(target.Kind, out var group))
            return ("kind", $"'{target.Kind}' is none of {string.Join(", ", Groups.Keys.Order(StringComparer.Ordinal))}");
        if (!string.IsNullOrEmpty(target.Group) && target.Group != group)
            return ("group", $"'{target.Group}' has no {target.Kind} that is served here; write '{group}' or nothing");
        if (target.Name.Length == 0)
            return ("name", "is missing");
        return string.IsNullOrEmpty(target.Namespace) || target.Namespace == policy.Metadata.Namespace ? null : ("namespace", "must be that of the policy: who may write policies here must not thereby govern others");
    }
}
