using Weft.Api.Schemas;

namespace Weft.Api.Autoscaling;

/// <summary>One thing that is measured, and its target. The member that the type names is set.</summary>
[Definition("io.k8s.api.autoscaling.v2.MetricSpec")]
public sealed record MetricSpec
{
    /// <summary>Which member counts.</summary>
    [Must, OneOf("ContainerResource", "External", "Object", "Pods", "Resource")] public string Type { get; init; } = "";

    /// <summary>A metric of one other object.</summary>
    public ObjectMetricSource? Object { get; init; }

    /// <summary>A metric of each pod, averaged.</summary>
    public PodsMetricSource? Pods { get; init; }

    /// <summary>CPU or memory of each pod.</summary>
    public ResourceMetricSource? Resource { get; init; }

    /// <summary>CPU or memory of one container of each pod.</summary>
    public ContainerResourceMetricSource? ContainerResource { get; init; }

    /// <summary>A metric from outside the cluster.</summary>
    public ExternalMetricSource? External { get; init; }
}

/// <summary>A metric of one other object.</summary>
[Definition("io.k8s.api.autoscaling.v2.ObjectMetricSource")]
public sealed record ObjectMetricSource
{
    /// <summary>The object.</summary>
    [Must] public CrossVersionObjectReference DescribedObject { get; init; } = new();

    /// <summary>What it should be.</summary>
    [Must] public MetricTarget Target { get; init; } = new();

    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();
}

/// <summary>A metric of each pod, averaged.</summary>
[Definition("io.k8s.api.autoscaling.v2.PodsMetricSource")]
public sealed record PodsMetricSource
{
    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();

    /// <summary>What it should be.</summary>
    [Must] public MetricTarget Target { get; init; } = new();
}

/// <summary>CPU or memory of each pod.</summary>
[Definition("io.k8s.api.autoscaling.v2.ResourceMetricSource")]
public sealed record ResourceMetricSource
{
    /// <summary>cpu or memory.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>What it should be.</summary>
    [Must] public MetricTarget Target { get; init; } = new();
}

/// <summary>CPU or memory of one container of each pod.</summary>
[Definition("io.k8s.api.autoscaling.v2.ContainerResourceMetricSource")]
public sealed record ContainerResourceMetricSource
{
    /// <summary>cpu or memory.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>What it should be.</summary>
    [Must] public MetricTarget Target { get; init; } = new();

    /// <summary>Name of the container.</summary>
    [Must] public string Container { get; init; } = "";
}

/// <summary>A metric from outside the cluster.</summary>
[Definition("io.k8s.api.autoscaling.v2.ExternalMetricSource")]
public sealed record ExternalMetricSource
{
    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();

    /// <summary>What it should be.</summary>
    [Must] public MetricTarget Target { get; init; } = new();
}

/// <summary>Name of a metric, and which of its series.</summary>
[Definition("io.k8s.api.autoscaling.v2.MetricIdentifier")]
public sealed record MetricIdentifier
{
    /// <summary>The name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>The series, by their labels.</summary>
    public LabelSelector? Selector { get; init; }
}

/// <summary>What a metric should be.</summary>
[Definition("io.k8s.api.autoscaling.v2.MetricTarget")]
public sealed record MetricTarget
{
    /// <summary>Which member counts.</summary>
    [Must, OneOf("AverageValue", "Utilization", "Value")] public string Type { get; init; } = "";

    /// <summary>The metric itself.</summary>
    public Quantity? Value { get; init; }

    /// <summary>The metric divided by the number of pods.</summary>
    public Quantity? AverageValue { get; init; }

    /// <summary>Share of what the pods request, in percent.</summary>
    public int? AverageUtilization { get; init; }
}

/// <summary>What was measured of one metric.</summary>
[Definition("io.k8s.api.autoscaling.v2.MetricStatus")]
public sealed record MetricStatus
{
    /// <summary>Which member counts.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>A metric of one other object.</summary>
    public ObjectMetricStatus? Object { get; init; }

    /// <summary>A metric of each pod, averaged.</summary>
    public PodsMetricStatus? Pods { get; init; }

    /// <summary>CPU or memory of each pod.</summary>
    public ResourceMetricStatus? Resource { get; init; }

    /// <summary>CPU or memory of one container of each pod.</summary>
    public ContainerResourceMetricStatus? ContainerResource { get; init; }

    /// <summary>A metric from outside the cluster.</summary>
    public ExternalMetricStatus? External { get; init; }
}

/// <summary>What was measured of another object.</summary>
[Definition("io.k8s.api.autoscaling.v2.ObjectMetricStatus")]
public sealed record ObjectMetricStatus
{
    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();

    /// <summary>What it was.</summary>
    [Must] public MetricValueStatus Current { get; init; } = new();

    /// <summary>The object.</summary>
    [Must] public CrossVersionObjectReference DescribedObject { get; init; } = new();
}

/// <summary>What was measured of the pods.</summary>
[Definition("io.k8s.api.autoscaling.v2.PodsMetricStatus")]
public sealed record PodsMetricStatus
{
    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();

    /// <summary>What it was.</summary>
    [Must] public MetricValueStatus Current { get; init; } = new();
}

/// <summary>CPU or memory that was measured.</summary>
[Definition("io.k8s.api.autoscaling.v2.ResourceMetricStatus")]
public sealed record ResourceMetricStatus
{
    /// <summary>cpu or memory.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>What it was.</summary>
    [Must] public MetricValueStatus Current { get; init; } = new();
}

/// <summary>CPU or memory that was measured of one container.</summary>
[Definition("io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus")]
public sealed record ContainerResourceMetricStatus
{
    /// <summary>cpu or memory.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>What it was.</summary>
    [Must] public MetricValueStatus Current { get; init; } = new();

    /// <summary>Name of the container.</summary>
    [Must] public string Container { get; init; } = "";
}

/// <summary>What was measured outside the cluster.</summary>
[Definition("io.k8s.api.autoscaling.v2.ExternalMetricStatus")]
public sealed record ExternalMetricStatus
{
    /// <summary>The metric.</summary>
    [Must] public MetricIdentifier Metric { get; init; } = new();

    /// <summary>What it was.</summary>
    [Must] public MetricValueStatus Current { get; init; } = new();
}

/// <summary>What a metric was.</summary>
[Definition("io.k8s.api.autoscaling.v2.MetricValueStatus")]
public sealed record MetricValueStatus
{
    /// <summary>The metric itself.</summary>
    public Quantity? Value { get; init; }

    /// <summary>The metric divided by the number of pods.</summary>
    public Quantity? AverageValue { get; init; }

    /// <summary>Share of what the pods request, in percent.</summary>
    public int? AverageUtilization { get; init; }
}
