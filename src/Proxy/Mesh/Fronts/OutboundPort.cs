using Weft.Proxy.Config.Units;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Runtime;
using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>A port of a host that somebody on this node has called.</summary>
/// <param name="Http">Null: no HTTP is spoken. Stays the same object while the port is there, so that connections find the newest routes.</param>
internal sealed record OutboundPort(MeshHost Host, DestinationPort Port, ConnectionTable Connections, HttpListenerState? Http)
{
    public DestinationLabels Labels { get; } = WorkloadNames.DestinationOf(Host.Name, null);
}
