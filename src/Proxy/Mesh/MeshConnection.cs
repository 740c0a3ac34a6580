using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Mesh;

/// <summary>What metrics and records say of a captured connection, beside what every connection has.</summary>
internal sealed record MeshConnection
{
    /// <summary>Null: nobody that the mesh knows.</summary>
    public MeshSource? Source { get; init; }

    /// <summary>Seen from the workload that is called; otherwise from the one that calls.</summary>
    public bool IsInbound { get; init; }

    /// <summary>Host that was called, or workload that was reached.</summary>
    public string? Service { get; init; }

    /// <summary>Of requests that reach no endpoint.</summary>
    public DestinationLabels Destination { get; init; } = new();
}
