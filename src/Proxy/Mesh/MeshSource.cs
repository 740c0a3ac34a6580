using System.Net;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Mesh;

/// <summary>Who sends: a workload of this node, the front door, or nobody that is known. Equal when connections of one may be used for the other.</summary>
/// <param name="address">Connections leave with it; null: with the machine's own.</param>
/// <param name="identity">`spiffe://...`; null: none.</param>
/// <param name="knownHostsOnly">What it sends to hosts that the mesh does not know is refused.</param>
internal sealed class MeshSource(IPAddress? address, LocalWorkload workload, string? identity, bool knownHostsOnly = false) : IEquatable<MeshSource>
{
    private readonly int _hash = HashCode.Combine(address, identity, workload.Uid, workload.Namespace, workload.Name);

    public IPAddress? Address => address;

    public LocalWorkload Workload => workload;

    public string? Identity => identity;

    /// <summary>What it tells of what it sends; null: as by default.</summary>
    public TelemetryCell? Telemetry { get; init; }

    public bool KnownHostsOnly => knownHostsOnly;

    /// <summary>`namespace/name`.</summary>
    public string Name { get; } = $"{workload.Namespace}/{workload.Name}";

    public WorkloadLabels Labels { get; } = WorkloadNames.LabelsOf(workload.Namespace, workload.Name, workload.Labels, identity);

    /// <summary>What is known of a connection of it.</summary>
    public ConnectionFacts FactsOf(IPEndPoint source, IPEndPoint destination, MeshConnection mesh)
    {
        var facts = new ConnectionFacts { Source = source, Destination = destination, Mesh = mesh };
        if (identity is not null)
            facts = ConnectionFacts.WithIdentity(facts, identity);
        return facts with { Namespace = workload.Namespace, ServiceAccount = workload.ServiceAccount, Labels = workload.Labels };
    }

    public bool Equals(MeshSource? other) =>
        ReferenceEquals(this, other)
        || (other is not null && other._hash == _hash && Equals(other.Address, address) && other.Identity == identity
            && other.Workload.Uid == workload.Uid && other.Workload.Namespace == workload.Namespace && other.Workload.Name == workload.Name);

    public override bool Equals(object? obj) => Equals(obj as MeshSource);

    public override int GetHashCode() => _hash;
}
