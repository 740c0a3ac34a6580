using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A scope for names.</summary>
[Kind("", "v1", "Namespace", ClusterScoped = true, ShortNames = ["ns"], DefinitionPrefix = "io.k8s.api.core.v1")]
public sealed record Namespace : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What holds the namespace.</summary>
    public NamespaceSpec Spec { get; init; } = new();

    /// <summary>State of the namespace.</summary>
    public NamespaceStatus Status { get; init; } = new();
}

/// <summary>What holds a namespace.</summary>
[Definition("io.k8s.api.core.v1.NamespaceSpec")]
public sealed record NamespaceSpec
{
    /// <summary>Must be empty before the namespace goes.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Finalizers { get; init; } = [];
}

/// <summary>State of a namespace.</summary>
[Definition("io.k8s.api.core.v1.NamespaceStatus")]
public sealed record NamespaceStatus
{
    /// <summary>Active or Terminating.</summary>
    [OneOf("Active", "Terminating")] public string? Phase { get; init; }

    /// <summary>What blocks the removal.</summary>
    [List(ListType.Map, "type"), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<NamespaceCondition> Conditions { get; init; } = [];
}

/// <summary>One observed condition of a namespace.</summary>
[Definition("io.k8s.api.core.v1.NamespaceCondition")]
public sealed record NamespaceCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
