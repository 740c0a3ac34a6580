using System.Net;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>A captured connection before it is known what becomes of it.</summary>
internal readonly record struct Caller(MeshSource Source, IPEndPoint From, IPEndPoint To)
{
    /// <param name="service">Host, or address, that is called.</param>
    public ConnectionFacts FactsOf(string service, DestinationLabels? labels = null) =>
        Source.FactsOf(From, To, new MeshConnection { Source = Source, Telemetry = Source.Telemetry, Service = service, Destination = labels ?? WorkloadNames.DestinationOf(service, null) });
}
