using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>What workloads tell: metrics, access logs, traces.</summary>
[Kind("telemetry.istio.io", "v1", "Telemetry", Plural = "telemetries", ShortNames = ["telemetry"], Categories = ["istio-io", "telemetry-istio-io"],
    OlderVersions = ["v1alpha1"], DefinitionPrefix = "io.istio.telemetry.v1")]
public sealed record Telemetry : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>For which workloads, and what.</summary>
    public TelemetrySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>For which workloads, and what they tell.</summary>
public sealed record TelemetrySpec
{
    /// <summary>The workloads; all of the namespace when absent, all of the mesh in the root namespace.</summary>
    public PolicySelector? Selector { get; init; }

    /// <summary>Deprecated: one object in place of workloads.</summary>
    public PolicyTargetReference? TargetRef { get; init; }

    /// <summary>Objects in place of workloads.</summary>
    public IReadOnlyList<PolicyTargetReference> TargetRefs { get; init; } = [];

    /// <summary>Traces.</summary>
    public IReadOnlyList<Tracing> Tracing { get; init; } = [];

    /// <summary>Metrics.</summary>
    public IReadOnlyList<TelemetryMetrics> Metrics { get; init; } = [];

    /// <summary>Access logs.</summary>
    public IReadOnlyList<AccessLogging> AccessLogging { get; init; } = [];
}

/// <summary>A receiver that the mesh's settings name.</summary>
public sealed record ProviderRef
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";
}

/// <summary>Traces.</summary>
public sealed record Tracing
{
    /// <summary>For which direction.</summary>
    public TelemetryMode? Match { get; init; }

    /// <summary>Who gets them.</summary>
    public IReadOnlyList<ProviderRef> Providers { get; init; } = [];

    /// <summary>Share of the requests, in percent.</summary>
    [RangeOf(0, 100)] public double? RandomSamplingPercentage { get; init; }

    /// <summary>No spans are sent.</summary>
    public bool? DisableSpanReporting { get; init; }

    /// <summary>Further attributes of spans.</summary>
    public IReadOnlyDictionary<string, CustomTag> CustomTags { get; init; } = Empty.Map<CustomTag>();

    /// <summary>Whether the request's id decides with.</summary>
    public bool? UseRequestIdForTraceSampling { get; init; }

    /// <summary>Whether spans have Istio's own attributes.</summary>
    public bool? EnableIstioTags { get; init; }
}

/// <summary>A direction.</summary>
public sealed record TelemetryMode
{
    /// <summary>Client, server or both.</summary>
    [OneOf("CLIENT_AND_SERVER", "CLIENT", "SERVER")] public string? Mode { get; init; }
}

/// <summary>Where an attribute comes from: one of them.</summary>
public sealed record CustomTag
{
    /// <summary>A text.</summary>
    public LiteralTag? Literal { get; init; }

    /// <summary>An environment variable of the proxy.</summary>
    public EnvironmentTag? Environment { get; init; }

    /// <summary>A field of the request.</summary>
    public HeaderTag? Header { get; init; }
}

/// <summary>A text.</summary>
public sealed record LiteralTag
{
    /// <summary>The text.</summary>
    [Must] public string Value { get; init; } = "";
}

/// <summary>An environment variable.</summary>
public sealed record EnvironmentTag
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>When it is absent.</summary>
    public string? DefaultValue { get; init; }
}

/// <summary>A field of the request.</summary>
public sealed record HeaderTag
{
    /// <summary>Its name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>When it is absent.</summary>
    public string? DefaultValue { get; init; }
}

/// <summary>Metrics.</summary>
public sealed record TelemetryMetrics
{
    /// <summary>Who gets them.</summary>
    public IReadOnlyList<ProviderRef> Providers { get; init; } = [];

    /// <summary>Changes of single metrics.</summary>
    public IReadOnlyList<MetricsOverrides> Overrides { get; init; } = [];

    /// <summary>Time between reports of TCP metrics.</summary>
    public string? ReportingInterval { get; init; }
}

/// <summary>A change of metrics.</summary>
public sealed record MetricsOverrides
{
    /// <summary>Which metrics; all when absent.</summary>
    public MetricSelector? Match { get; init; }

    /// <summary>They are not counted.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Changes of labels, by name.</summary>
    public IReadOnlyDictionary<string, TagOverride> TagOverrides { get; init; } = Empty.Map<TagOverride>();
}

/// <summary>Which metrics.</summary>
public sealed record MetricSelector
{
    /// <summary>One of Istio's.</summary>
    [OneOf("ALL_METRICS", "REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE", "TCP_OPENED_CONNECTIONS", "TCP_CLOSED_CONNECTIONS", "TCP_SENT_BYTES", "TCP_RECEIVED_BYTES", "GRPC_REQUEST_MESSAGES", "GRPC_RESPONSE_MESSAGES")] public string? Metric { get; init; }

    /// <summary>Another, by name.</summary>
    public string? CustomMetric { get; init; }

    /// <summary>Client, server or both.</summary>
    [OneOf("CLIENT_AND_SERVER", "CLIENT", "SERVER")] public string? Mode { get; init; }
}

/// <summary>A change of a label.</summary>
public sealed record TagOverride
{
    /// <summary>What is done.</summary>
    [OneOf("UPSERT", "REMOVE")] public string? Operation { get; init; }

    /// <summary>An expression for the value.</summary>
    public string? Value { get; init; }
}

/// <summary>Access logs.</summary>
public sealed record AccessLogging
{
    /// <summary>For which direction.</summary>
    public TelemetryMode? Match { get; init; }

    /// <summary>Who gets them.</summary>
    public IReadOnlyList<ProviderRef> Providers { get; init; } = [];

    /// <summary>Nothing is written.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Which requests.</summary>
    public LogFilter? Filter { get; init; }
}

/// <summary>Which requests are written.</summary>
public sealed record LogFilter
{
    /// <summary>A CEL expression.</summary>
    public string? Expression { get; init; }
}
