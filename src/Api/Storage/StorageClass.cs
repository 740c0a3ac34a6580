using Weft.Api.Schemas;

namespace Weft.Api.Storage;

/// <summary>A kind of storage that claims ask for by name.</summary>
[Kind("storage.k8s.io", "v1", "StorageClass", ClusterScoped = true, Plural = "storageclasses", ShortNames = ["sc"], DefinitionPrefix = "io.k8s.api.storage.v1")]
public sealed record StorageClass : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Who makes the volumes.</summary>
    [Must, Immutable] public string Provisioner { get; init; } = "";

    /// <summary>Settings for the provisioner.</summary>
    [Immutable] public IReadOnlyDictionary<string, string> Parameters { get; init; } = Empty.Strings;

    /// <summary>What happens to a volume when its claim is gone. Delete by default.</summary>
    [Immutable, OneOf("Delete", "Recycle", "Retain")] public string? ReclaimPolicy { get; init; }

    /// <summary>Options of the mounts.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> MountOptions { get; init; } = [];

    /// <summary>Whether claims may grow.</summary>
    public bool? AllowVolumeExpansion { get; init; }

    /// <summary>Immediate by default; WaitForFirstConsumer binds a claim when a pod that uses it has a node.</summary>
    [Immutable, OneOf("Immediate", "WaitForFirstConsumer")] public string? VolumeBindingMode { get; init; }

    /// <summary>Nodes for whose sake volumes are made.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<TopologySelectorTerm> AllowedTopologies { get; init; } = [];
}

/// <summary>Nodes by label; all requirements must hold.</summary>
[Atomic]
[Definition("io.k8s.api.core.v1.TopologySelectorTerm")]
public sealed record TopologySelectorTerm
{
    /// <summary>Requirements on labels.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<TopologySelectorLabelRequirement> MatchLabelExpressions { get; init; } = [];
}

/// <summary>A label and the values that will do.</summary>
[Definition("io.k8s.api.core.v1.TopologySelectorLabelRequirement")]
public sealed record TopologySelectorLabelRequirement
{
    /// <summary>The label.</summary>
    [Must] public string Key { get; init; } = "";

    /// <summary>Its values.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<string> Values { get; init; } = [];
}
