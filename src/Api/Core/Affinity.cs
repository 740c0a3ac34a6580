using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Where a pod wants to be.</summary>
[Definition("io.k8s.api.core.v1.Affinity")]
public sealed record Affinity
{
    /// <summary>Rules about nodes.</summary>
    public NodeAffinity? NodeAffinity { get; init; }

    /// <summary>Pods to be near to.</summary>
    public PodAffinity? PodAffinity { get; init; }

    /// <summary>Pods to be away from.</summary>
    public PodAntiAffinity? PodAntiAffinity { get; init; }
}

/// <summary>Rules about nodes.</summary>
[Definition("io.k8s.api.core.v1.NodeAffinity")]
public sealed record NodeAffinity
{
    /// <summary>Must hold when the pod is placed.</summary>
    public NodeSelector? RequiredDuringSchedulingIgnoredDuringExecution { get; init; }

    /// <summary>Add to a node's score.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PreferredSchedulingTerm> PreferredDuringSchedulingIgnoredDuringExecution { get; init; } = [];
}

/// <summary>Terms of which one must match.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.NodeSelector")]
public sealed record NodeSelector
{
    /// <summary>The terms.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<NodeSelectorTerm> NodeSelectorTerms { get; init; } = [];
}

/// <summary>Requirements that must all match; an empty term matches nothing.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.NodeSelectorTerm")]
public sealed record NodeSelectorTerm
{
    /// <summary>About labels of the node.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NodeSelectorRequirement> MatchExpressions { get; init; } = [];

    /// <summary>About fields of the node: metadata.name.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<NodeSelectorRequirement> MatchFields { get; init; } = [];
}

/// <summary>A requirement on one key.</summary>
[Definition("io.k8s.api.core.v1.NodeSelectorRequirement")]
public sealed record NodeSelectorRequirement
{
    /// <summary>Label or field.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>How the value is compared.</summary>
    [Must, OneOf("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")] public string Operator { get; init; } = "";

    /// <summary>Values to compare with.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}

/// <summary>A term with a weight.</summary>
[Definition("io.k8s.api.core.v1.PreferredSchedulingTerm")]
public sealed record PreferredSchedulingTerm
{
    /// <summary>1 to 100.</summary>
    [Must] public int Weight { get; init; }

    /// <summary>The term.</summary>
    [Must] public NodeSelectorTerm Preference { get; init; } = new();
}

/// <summary>Pods to be near to.</summary>
[Definition("io.k8s.api.core.v1.PodAffinity")]
public sealed record PodAffinity
{
    /// <summary>Must hold when the pod is placed.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PodAffinityTerm> RequiredDuringSchedulingIgnoredDuringExecution { get; init; } = [];

    /// <summary>Add to a node's score.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<WeightedPodAffinityTerm> PreferredDuringSchedulingIgnoredDuringExecution { get; init; } = [];
}

/// <summary>Pods to be away from.</summary>
[Definition("io.k8s.api.core.v1.PodAntiAffinity")]
public sealed record PodAntiAffinity
{
    /// <summary>Must hold when the pod is placed.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PodAffinityTerm> RequiredDuringSchedulingIgnoredDuringExecution { get; init; } = [];

    /// <summary>Take from a node's score.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<WeightedPodAffinityTerm> PreferredDuringSchedulingIgnoredDuringExecution { get; init; } = [];
}

/// <summary>A term with a weight.</summary>
[Definition("io.k8s.api.core.v1.WeightedPodAffinityTerm")]
public sealed record WeightedPodAffinityTerm
{
    /// <summary>1 to 100.</summary>
    [Must] public int Weight { get; init; }

    /// <summary>The term.</summary>
    [Must] public PodAffinityTerm PodAffinityTerm { get; init; } = new();
}

/// <summary>A set of pods and the domain that counts as together.</summary>
[Definition("io.k8s.api.core.v1.PodAffinityTerm")]
public sealed record PodAffinityTerm
{
    /// <summary>Pods by label.</summary>
    public LabelSelector? LabelSelector { get; init; }

    /// <summary>Namespaces of the pods; the pod's own by default.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Node label whose equal values make one domain.</summary>
    [Must] public string TopologyKey { get; init; } = "";

    /// <summary>Namespaces by label.</summary>
    public LabelSelector? NamespaceSelector { get; init; }

    /// <summary>Labels of the incoming pod that must be equal.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> MatchLabelKeys { get; init; } = [];

    /// <summary>Labels of the incoming pod that must differ.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> MismatchLabelKeys { get; init; } = [];
}

/// <summary>How evenly matching pods lie over domains.</summary>
[Definition("io.k8s.api.core.v1.TopologySpreadConstraint")]
public sealed record TopologySpreadConstraint
{
    /// <summary>Greatest allowed difference between domains.</summary>
    [Must] public int MaxSkew { get; init; }

    /// <summary>Node label whose equal values make one domain.</summary>
    [Must] public string TopologyKey { get; init; } = "";

    /// <summary>Refuse the node or only score it lower.</summary>
    [Must, OneOf("DoNotSchedule", "ScheduleAnyway")] public string WhenUnsatisfiable { get; init; } = "";

    /// <summary>Pods that are counted.</summary>
    public LabelSelector? LabelSelector { get; init; }

    /// <summary>Fewest domains that must be in use.</summary>
    public int? MinDomains { get; init; }

    /// <summary>Whether nodes the pod cannot use count.</summary>
    [OneOf("Honor", "Ignore")] public string? NodeAffinityPolicy { get; init; }

    /// <summary>Whether nodes with taints the pod does not tolerate count.</summary>
    [OneOf("Honor", "Ignore")] public string? NodeTaintsPolicy { get; init; }

    /// <summary>Labels of the incoming pod that must be equal.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> MatchLabelKeys { get; init; } = [];
}

/// <summary>A taint that a pod accepts.</summary>
[Definition("io.k8s.api.core.v1.Toleration")]
public sealed record Toleration
{
    /// <summary>Key of the taint; empty with Exists accepts all.</summary>
    public string? Key { get; init; }

    /// <summary>Equal by default.</summary>
    [OneOf("Equal", "Exists")] public string? Operator { get; init; }

    /// <summary>Value of the taint, with Equal.</summary>
    public string? Value { get; init; }

    /// <summary>Effect of the taint; empty accepts all.</summary>
    [OneOf("NoExecute", "NoSchedule", "PreferNoSchedule")] public string? Effect { get; init; }

    /// <summary>With NoExecute: how long the pod stays.</summary>
    public long? TolerationSeconds { get; init; }
}
