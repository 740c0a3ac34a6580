namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>A workload as Istio's standard metrics name it. Parts that are not known are `unknown`, as Istio has it.</summary>
internal sealed record WorkloadLabels
{
    public const string Unknown = "unknown";

    public string Workload { get; init; } = Unknown;

    public string Namespace { get; init; } = Unknown;

    /// <summary>`spiffe://cluster.local/ns/shop/sa/front`; from a verified certificate only.</summary>
    public string Principal { get; init; } = Unknown;

    public string App { get; init; } = Unknown;

    public string Version { get; init; } = Unknown;

    public string Cluster { get; init; } = Unknown;

    /// <summary>What Kiali, for one, groups by.</summary>
    public string CanonicalService { get; init; } = Unknown;

    public string CanonicalRevision { get; init; } = Unknown;
}

/// <summary>Where requests of a route go.</summary>
internal sealed record DestinationLabels
{
    public WorkloadLabels Workload { get; init; } = new();

    /// <summary>The name that was asked for: `cart.shop.svc.cluster.local`.</summary>
    public string Service { get; init; } = WorkloadLabels.Unknown;

    public string ServiceName { get; init; } = WorkloadLabels.Unknown;

    public string ServiceNamespace { get; init; } = WorkloadLabels.Unknown;
}

internal enum Reporter : byte { Source, Destination }

/// <summary>`none`: plaintext. `mutual_tls`: both sides have shown certificates.</summary>
internal enum SecurityPolicy : byte { Unknown, None, MutualTls }

internal enum RequestProtocol : byte { Http, Grpc }

/// <summary>What distinguishes one time series of requests from another; everything a number.</summary>
/// <param name="Source">Of the table of <see cref="WorkloadLabels"/>.</param>
/// <param name="Destination">Of the table of <see cref="DestinationLabels"/>.</param>
/// <param name="Status">Response code; 0 when the client went away before there was one.</param>
/// <param name="GrpcStatus">-1 when the request was not gRPC.</param>
/// <param name="Rules">What the reporting workload changes of its metrics, of the table of <see cref="Workloads.SeriesRules"/>; 0: nothing.</param>
internal readonly record struct SeriesKey(int Source, int Destination, short Status, short GrpcStatus, ResponseFlags Flags, Reporter Reporter, RequestProtocol Protocol, SecurityPolicy Security, int Rules = 0);
