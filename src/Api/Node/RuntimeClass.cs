using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Nodes;

/// <summary>A way to run pods.</summary>
[Kind("node.k8s.io", "v1", "RuntimeClass", ClusterScoped = true, Plural = "runtimeclasses", DefinitionPrefix = "io.k8s.api.node.v1")]
public sealed record RuntimeClass : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>Name of the runtime's configuration on the nodes.</summary>
    [Must, Immutable] public string Handler { get; init; } = "";

    /// <summary>Resources the runtime itself takes.</summary>
    public Overhead? Overhead { get; init; }

    /// <summary>Nodes that have the runtime.</summary>
    public Scheduling? Scheduling { get; init; }
}

/// <summary>Resources the runtime itself takes.</summary>
[Definition("io.k8s.api.node.v1.Overhead")]
public sealed record Overhead
{
    /// <summary>For each pod.</summary>
    public IReadOnlyDictionary<string, Quantity> PodFixed { get; init; } = Empty.Map<Quantity>();
}

/// <summary>Nodes that have the runtime.</summary>
[Definition("io.k8s.api.node.v1.Scheduling")]
public sealed record Scheduling
{
    /// <summary>Labels of the nodes.</summary>
    [Atomic] public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = Empty.Strings;

    /// <summary>Tolerations added to the pods.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<Toleration> Tolerations { get; init; } = [];
}
