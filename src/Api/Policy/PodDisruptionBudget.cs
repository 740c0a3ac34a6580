using Weft.Api.Schemas;

namespace Weft.Api.Policy;

/// <summary>How many pods of a group may be taken away at the same time on purpose.</summary>
[Kind("policy", "v1", "PodDisruptionBudget", ShortNames = ["pdb"], DefinitionPrefix = "io.k8s.api.policy.v1")]
public sealed record PodDisruptionBudget : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public PodDisruptionBudgetSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public PodDisruptionBudgetStatus Status { get; init; } = new();
}

/// <summary>What a budget wants.</summary>
[Definition("io.k8s.api.policy.v1.PodDisruptionBudgetSpec")]
public sealed record PodDisruptionBudgetSpec
{
    /// <summary>Pods that must stay, as number or percentage.</summary>
    public IntOrString? MinAvailable { get; init; }

    /// <summary>The pods.</summary>
    [Patch(PatchStrategy.Replace)] public LabelSelector? Selector { get; init; }

    /// <summary>Pods that may be missing, as number or percentage.</summary>
    public IntOrString? MaxUnavailable { get; init; }

    /// <summary>Whether pods that are not healthy may always go.</summary>
    [OneOf("AlwaysAllow", "IfHealthyBudget")] public string? UnhealthyPodEvictionPolicy { get; init; }
}

/// <summary>What was last observed of a budget.</summary>
[Definition("io.k8s.api.policy.v1.PodDisruptionBudgetStatus")]
public sealed record PodDisruptionBudgetStatus
{
    /// <summary>Generation that was observed.</summary>
    public long? ObservedGeneration { get; init; }

    /// <summary>Pods that were let go and are not seen to be gone yet, with the time.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> DisruptedPods { get; init; } = Empty.Map<DateTimeOffset>();

    /// <summary>Pods that may go now.</summary>
    [Must] public int DisruptionsAllowed { get; init; }

    /// <summary>Healthy pods.</summary>
    [Must] public int CurrentHealthy { get; init; }

    /// <summary>Healthy pods that must stay.</summary>
    [Must] public int DesiredHealthy { get; init; }

    /// <summary>Pods that count.</summary>
    [Must] public int ExpectedPods { get; init; }

    /// <summary>DisruptionAllowed.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<Condition> Conditions { get; init; } = [];
}
