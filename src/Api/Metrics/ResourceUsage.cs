using Weft.Api.Schemas;

namespace Weft.Api.Metrics;

/// <summary>What a pod's containers use. Measured when it is asked for; stored nowhere.</summary>
[Kind("metrics.k8s.io", "v1beta1", "PodMetrics", Plural = "pods", DefinitionPrefix = "io.k8s.metrics.pkg.apis.metrics.v1beta1")]
public sealed record PodMetrics : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>End of the time over which the CPU was measured.</summary>
    [Must] public DateTimeOffset? Timestamp { get; init; }

    /// <summary>How long the CPU was measured, such as 15.2s.</summary>
    [Must] public string Window { get; init; } = "";

    /// <summary>Each container that runs.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<ContainerMetrics> Containers { get; init; } = [];
}

/// <summary>What a container uses.</summary>
[Definition("io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics")]
public sealed record ContainerMetrics
{
    /// <summary>Name of the container.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>cpu in cores, memory in bytes of the working set.</summary>
    [Must] public IReadOnlyDictionary<string, Quantity> Usage { get; init; } = Empty.Map<Quantity>();
}

/// <summary>What a node uses, system included. Measured when it is asked for; stored nowhere.</summary>
[Kind("metrics.k8s.io", "v1beta1", "NodeMetrics", Plural = "nodes", ClusterScoped = true, DefinitionPrefix = "io.k8s.metrics.pkg.apis.metrics.v1beta1")]
public sealed record NodeMetrics : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>End of the time over which the CPU was measured.</summary>
    [Must] public DateTimeOffset? Timestamp { get; init; }

    /// <summary>How long the CPU was measured, such as 15.2s.</summary>
    [Must] public string Window { get; init; } = "";

    /// <summary>cpu in cores, memory in bytes of the working set.</summary>
    [Must] public IReadOnlyDictionary<string, Quantity> Usage { get; init; } = Empty.Map<Quantity>();
}
