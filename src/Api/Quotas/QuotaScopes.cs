using Weft.Api.Core;

namespace Weft.Api.Quotas;

/// <summary>Which pods a quota with scopes counts. Pure.</summary>
public static class QuotaScopes
{
    public const string Terminating = "Terminating", NotTerminating = "NotTerminating", BestEffort = "BestEffort", NotBestEffort = "NotBestEffort",
        PriorityClass = "PriorityClass", CrossNamespacePodAffinity = "CrossNamespacePodAffinity";

    public static readonly IReadOnlyList<string> All = [BestEffort, CrossNamespacePodAffinity, NotBestEffort, NotTerminating, PriorityClass, Terminating];

    public static bool Has(ResourceQuotaSpec quota) => quota.Scopes.Count > 0 || quota.ScopeSelector is { MatchExpressions.Count: > 0 };

    public static bool Match(ResourceQuotaSpec quota, Pod pod) =>
        quota.Scopes.All(scope => Is(scope, pod.Spec)) && (quota.ScopeSelector?.MatchExpressions ?? []).All(expression => Holds(expression, pod.Spec));

    private static bool Holds(ScopedResourceSelectorRequirement expression, PodSpec spec)
    {
        if (expression.ScopeName != PriorityClass)
            return Is(expression.ScopeName, spec);   // validation lets only Exists through
        var name = spec.PriorityClassName ?? "";
        return expression.Operator switch
        {
            "In" => expression.Values.Contains(name),
            "NotIn" => !expression.Values.Contains(name),
            "Exists" => name.Length > 0,
            _ => name.Length == 0,
        };
    }

    private static bool Is(string scope, PodSpec spec) => scope switch
    {
        Terminating => spec.ActiveDeadlineSeconds is >= 0,
        NotTerminating => spec.ActiveDeadlineSeconds is null,
        BestEffort => IsBestEffort(spec),
        NotBestEffort => !IsBestEffort(spec),
        PriorityClass => !string.IsNullOrEmpty(spec.PriorityClassName),
        CrossNamespacePodAffinity => LooksIntoOthers(spec),
        _ => false,
    };

    private static bool IsBestEffort(PodSpec spec) =>
        spec.Containers.Concat(spec.InitContainers).All(c => c.Resources is not { } r || r.Limits.Concat(r.Requests).All(amount => amount.Key is not ("cpu" or "memory") || amount.Value.IsZero));

    private static bool LooksIntoOthers(PodSpec spec)
    {
        var (with, without) = (spec.Affinity?.PodAffinity, spec.Affinity?.PodAntiAffinity);
        IEnumerable<PodAffinityTerm> terms =
        [
            .. with?.RequiredDuringSchedulingIgnoredDuringExecution ?? [], .. (with?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(t => t.PodAffinityTerm),
            .. without?.RequiredDuringSchedulingIgnoredDuringExecution ?? [], .. (without?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(t => t.PodAffinityTerm),
        ];
        return terms.Any(term => term.Namespaces.Count > 0 || term.NamespaceSelector is not null);
    }
}
