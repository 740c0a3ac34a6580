using Weft.Api.Core;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Matching;

/// <summary>A set of pods, and the node label that makes a domain of being together.</summary>
internal sealed class PodTerm
{
    private readonly LabelMatcher _pods;
    private readonly HashSet<string> _namespaces;
    private readonly LabelMatcher? _namespaceSelector;

    public PodTerm(PodAffinityTerm term, Pod owner, int weight = 0)
    {
        TopologyKey = term.TopologyKey;
        Weight = weight;
        // matchLabelKeys: values of the incoming pod become requirements (API server since 1.29; done here too, for objects from elsewhere).
        var further = SameLabels(term.MatchLabelKeys, owner, "In").Concat(SameLabels(term.MismatchLabelKeys, owner, "NotIn"));
        _pods = LabelMatcher.Of(term.LabelSelector, further);
        _namespaceSelector = term.NamespaceSelector is null ? null : LabelMatcher.Of(term.NamespaceSelector);
        _namespaces = [.. term.Namespaces];
        if (_namespaces.Count == 0 && _namespaceSelector is null)
            _namespaces.Add(owner.Metadata.Namespace ?? "");
    }

    public string TopologyKey { get; }

    /// <summary>Of a preference; negative for keeping away.</summary>
    public int Weight { get; }

    public bool Matches(PodInfo pod, ClusterSnapshot snapshot)
    {
        var name = pod.Key.Namespace;
        if (!_namespaces.Contains(name)
            && !(_namespaceSelector is not null && snapshot.Namespaces.TryGetValue(name, out var labels) && _namespaceSelector.Matches(labels)))
            return false;
        return _pods.Matches(pod.Labels);
    }

    internal static IEnumerable<Requirement> SameLabels(IReadOnlyList<string> keys, Pod owner, string @operator)
    {
        foreach (var key in keys)
        {
            if (owner.Metadata.Labels.TryGetValue(key, out var value))
                yield return new(key, @operator, [value]);
        }
    }
}

/// <summary>What a pod says about other pods.</summary>
internal sealed record PodAffinityTerms(
    IReadOnlyList<PodTerm> Near, IReadOnlyList<PodTerm> Away, IReadOnlyList<PodTerm> Preferred)
{
    public static PodAffinityTerms? Of(Pod pod)
    {
        var near = pod.Spec.Affinity?.PodAffinity;
        var away = pod.Spec.Affinity?.PodAntiAffinity;
        if (near is null && away is null)
            return null;
        var preferred = (near?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(one => new PodTerm(one.PodAffinityTerm, pod, one.Weight))
            .Concat((away?.PreferredDuringSchedulingIgnoredDuringExecution ?? []).Select(one => new PodTerm(one.PodAffinityTerm, pod, -one.Weight)));
        return new(
            [.. (near?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).Select(one => new PodTerm(one, pod))],
            [.. (away?.RequiredDuringSchedulingIgnoredDuringExecution ?? []).Select(one => new PodTerm(one, pod))],
            [.. preferred]);
    }
}

/// <summary>A topology spread constraint, read once.</summary>
internal sealed class SpreadConstraint
{
    private static readonly IReadOnlyList<SpreadConstraint> None = [];

    private readonly string _namespace;
    private readonly LabelMatcher _pods;

    private SpreadConstraint(TopologySpreadConstraint constraint, Pod owner)
    {
        TopologyKey = constraint.TopologyKey;
        MaxSkew = constraint.MaxSkew;
        MinDomains = constraint.MinDomains ?? 1;
        IsHard = constraint.WhenUnsatisfiable != "ScheduleAnyway";
        HonorsTaints = constraint.NodeTaintsPolicy == "Honor";
        HonorsAffinity = constraint.NodeAffinityPolicy != "Ignore";
        _namespace = owner.Metadata.Namespace ?? "";
        _pods = LabelMatcher.Of(constraint.LabelSelector, PodTerm.SameLabels(constraint.MatchLabelKeys, owner, "In"));
        Identity = IdentityOf(constraint, owner);
    }

    /// <summary>Equal for constraints that count the same pods in the same domains: those of all pods of one Deployment.</summary>
    public string Identity { get; }

    public string TopologyKey { get; }
    public int MaxSkew { get; }
    public int MinDomains { get; }
    public bool IsHard { get; }
    public bool HonorsTaints { get; }
    public bool HonorsAffinity { get; }

    /// <summary>Pods on their way out no longer count.</summary>
    public bool Counts(PodInfo pod) => pod.Key.Namespace == _namespace && pod.Pod.Metadata.DeletionTimestamp is null && _pods.Matches(pod.Labels);

    public bool Selects(PodInfo pod) => _pods.Matches(pod.Labels);

    // Zero bytes and lengths keep names and values apart, whatever they hold.
    private static string IdentityOf(TopologySpreadConstraint constraint, Pod owner)
    {
        var text = new System.Text.StringBuilder(128);
        text.Append(owner.Metadata.Namespace).Append('\0').Append(constraint.TopologyKey).Append('\0').Append(constraint.LabelSelector is null ? '-' : '+');
        foreach (var (key, value) in (constraint.LabelSelector?.MatchLabels ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal))
            text.Append('\0').Append(key).Append('=').Append(value);
        foreach (var one in constraint.LabelSelector?.MatchExpressions ?? [])
            text.Append("\0e").Append(one.Key).Append('\0').Append(one.Operator).Append('\0').Append(one.Values.Count).Append('\0').AppendJoin('\0', one.Values);
        foreach (var key in constraint.MatchLabelKeys)
            text.Append("\0k").Append(key).Append('=').Append(owner.Metadata.Labels.TryGetValue(key, out var value) ? value : "\0");
        return text.ToString();
    }

    public static IReadOnlyList<SpreadConstraint> Of(Pod pod) =>
        pod.Spec.TopologySpreadConstraints.Count == 0 ? None : [.. pod.Spec.TopologySpreadConstraints.Select(one => new SpreadConstraint(one, pod))];
}
