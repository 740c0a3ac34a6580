using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Units;

/// <summary>What a workload's requests are told of: those that it sends, and those that it is sent.</summary>
public sealed record WorkloadTelemetry
{
    public SideTelemetry Client { get; init; } = new();

    public SideTelemetry Server { get; init; } = new();
}

/// <summary>Of one side.</summary>
public sealed record SideTelemetry
{
    /// <summary>Null: traces are passed on, and not taken part in.</summary>
    public TraceSettings? Trace { get; init; }

    /// <summary>Requests stand in the node's access log.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Which of them; null: all.</summary>
    public LogRule? Log { get; init; }

    /// <summary>The later one has the last word.</summary>
    public ValueList<MetricChange> Metrics { get; init; } = [];
}

/// <param name="Collector">Name of a <see cref="CollectorConfig"/>; spans for one that is lacking are not sent.</param>
public sealed record TraceSettings(string Collector)
{
    /// <summary>Share of the requests whose sender has not decided, in percent.</summary>
    public double Percent { get; init; } = 1;

    public ValueList<SpanTag> Tags { get; init; } = [];
}

/// <summary>An attribute of each span.</summary>
public sealed record SpanTag(string Name)
{
    /// <summary>When there is no header to take it from, or the request lacks it; null: then the attribute is left out.</summary>
    public string? Value { get; init; }

    /// <summary>A field of the request, in lower case.</summary>
    public string? Header { get; init; }
}

/// <summary>A condition on a request, as a tree. A value that the request does not have makes a comparison neither true nor false, and what is not true is not logged.</summary>
public sealed record LogRule(LogOperator Operator)
{
    /// <summary>Of `all`, `any`, and one for `not`.</summary>
    public ValueList<LogRule> Parts { get; init; } = [];

    public LogAttribute Attribute { get; init; }

    /// <summary>Of the attribute `header`, in lower case.</summary>
    public string? Header { get; init; }

    public string? Text { get; init; }

    /// <summary>Null: it is a comparison of texts. true is 1.</summary>
    public long? Number { get; init; }
}

public enum LogOperator { All, Any, Not, Equal, Less, Greater, Starts, Ends, Contains, Present }

public enum LogAttribute { ResponseCode, GrpcStatus, MutualTls, Method, Host, Path, UrlPath, Header, RequestSize, ResponseSize }

/// <summary>A change of metrics, or of one of them.</summary>
public sealed record MetricChange
{
    /// <summary>`istio_requests_total`; null: all of Istio's standard metrics.</summary>
    public string? Metric { get; init; }

    /// <summary>Null: as before.</summary>
    public bool? Disabled { get; init; }

    public ValueList<LabelChange> Labels { get; init; } = [];
}

/// <param name="Value">Null: the label is removed.</param>
public sealed record LabelChange(string Name, string? Value = null);

/// <summary>What is the same for all workloads. Key: `mesh`.</summary>
public sealed record TelemetryUnit
{
    public ValueList<CollectorConfig> Collectors { get; init; } = [];

    /// <summary>Of the front door; null: as by default.</summary>
    public WorkloadTelemetry? Door { get; init; }
}

/// <summary>Where spans are sent, by OTLP.</summary>
public sealed record CollectorConfig(string Name)
{
    /// <summary>A host of the mesh, or a name or address outside.</summary>
    public string Host { get; init; } = "";

    public int Port { get; init; }

    /// <summary>Null: OTLP over gRPC. Otherwise over HTTP, to this path.</summary>
    public string? Path { get; init; }
}
