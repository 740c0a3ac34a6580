using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Metrics;

/// <summary>Values of one metric of some objects. Measured when it is asked for; stored nowhere.</summary>
[Kind("custom.metrics.k8s.io", "v1beta2", "MetricValueList", Plural = "pods", DefinitionPrefix = "io.k8s.metrics.pkg.apis.custom_metrics.v1beta2")]
public sealed record MetricValueList : IObject
{
    /// <summary>Requests per second that the mesh sends to a pod, or to all pods of a service.</summary>
    public const string RequestsPerSecond = "requests_per_second";

    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>One for each object.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<MetricValue> Items { get; init; } = [];
}

/// <summary>What the metric of one object was.</summary>
[Definition("io.k8s.metrics.pkg.apis.custom_metrics.v1beta2.MetricValue")]
public sealed record MetricValue
{
    /// <summary>Which object.</summary>
    [Must] public ObjectReference DescribedObject { get; init; } = new();

    /// <summary>Which metric.</summary>
    [Must] public MetricIdentity Metric { get; init; } = new();

    /// <summary>End of the time over which it was measured.</summary>
    [Must] public DateTimeOffset? Timestamp { get; init; }

    /// <summary>How long it was measured.</summary>
    public long? WindowSeconds { get; init; }

    /// <summary>The value.</summary>
    [Must] public Quantity Value { get; init; }
}

/// <summary>The name of a metric.</summary>
[Definition("io.k8s.metrics.pkg.apis.custom_metrics.v1beta2.MetricIdentifier")]
public sealed record MetricIdentity
{
    /// <summary>The name.</summary>
    [Must] public string Name { get; init; } = "";
}
