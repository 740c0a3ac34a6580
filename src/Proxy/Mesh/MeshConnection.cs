using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Mesh;

/// <summary>What metrics and records say of a captured connection, beside what every connection has.</summary>
internal sealed record MeshConnection
{
    /// <summary>Null: nobody that the mesh knows.</summary>
    public MeshSource? Source { get; init; }

    /// <summary>Key of the workload by whose rules it was let in: it leads to nobody else who may have the address by now. Null: seen from the one that calls.</summary>
    public string? Judged { get; init; }

    /// <summary>Seen from the workload that is called; otherwise from the one that calls.</summary>
    public bool IsInbound => Judged is not null;

    /// <summary>Host that was called, or workload that was reached.</summary>
    public string? Service { get; init; }

    /// <summary>What the workload whose side this is tells; null: as by default.</summary>
    public TelemetryCell? Telemetry { get; init; }

    /// <summary>Of requests that reach no endpoint.</summary>
    public DestinationLabels Destination { get; init; } = new();
}
