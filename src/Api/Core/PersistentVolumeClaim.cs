using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>Asks for storage.</summary>
[Kind("", "v1", "PersistentVolumeClaim", ShortNames = ["pvc"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record PersistentVolumeClaim : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is claimed.</summary>
    public PersistentVolumeClaimSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public PersistentVolumeClaimStatus Status { get; init; } = new();
}

/// <summary>What was last observed of a claim.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeClaimStatus")]
public sealed record PersistentVolumeClaimStatus
{
    /// <summary>Pending, Bound or Lost.</summary>
    public string? Phase { get; init; }

    /// <summary>How the bound volume may be mounted.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> AccessModes { get; init; } = [];

    /// <summary>Size of the bound volume.</summary>
    public IReadOnlyDictionary<string, Quantity> Capacity { get; init; } = Empty.Map<Quantity>();

    /// <summary>What goes on with the claim.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<PersistentVolumeClaimCondition> Conditions { get; init; } = [];

    /// <summary>Size that is set aside for the claim.</summary>
    public IReadOnlyDictionary<string, Quantity> AllocatedResources { get; init; } = Empty.Map<Quantity>();

    /// <summary>How far a change of size has come.</summary>
    [Atomic] public IReadOnlyDictionary<string, string> AllocatedResourceStatuses { get; init; } = Empty.Strings;

    /// <summary>Class of attributes that the volume has.</summary>
    public string? CurrentVolumeAttributesClassName { get; init; }
}

/// <summary>One observed condition of a claim.</summary>
[Definition("io.k8s.api.core.v1.PersistentVolumeClaimCondition")]
public sealed record PersistentVolumeClaimCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When it was last looked at.</summary>
    public DateTimeOffset? LastProbeTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
