using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>What comes to a workload has to pass, compiled. The newest one of a workload is looked up for each connection.</summary>
/// <param name="Filters">What the rest was compiled from.</param>
/// <param name="Policies">Of connections; null: none.</param>
/// <param name="NeedsRequests">Connections alone do not tell enough.</param>
/// <param name="Http1">What its requests are served by. Stays the same object while the workload stays, so that connections find the newest view.</param>
internal sealed record InboundRules(MeshWorkload Workload, ValueList<FilterConfig> Filters, PolicySet? Policies, bool NeedsRequests, HttpListenerState Http1, HttpListenerState Http2)
{
    /// <summary>Something that was let through by the rules before may not be by these.</summary>
    public bool MayRefuseMoreThan(InboundRules before) =>
        (!Filters.IsEmpty && Filters != before.Filters) || (Strictness != before.Strictness && Strictness.Any(port => port.Mode == MutualTls.Strict));

    public IEnumerable<IPAddress> Addresses => Workload.Unit.Addresses.Select(IPAddress.Parse).Select(address => address.Plain());

    private ValueList<PortMutualTls> Strictness => [new(0, Workload.Unit.MutualTls), .. Workload.Unit.Ports];

    /// <summary>Its requests become spans.</summary>
    public bool WantsRequests => Workload.Unit.Telemetry?.Server.Trace is not null;

    public bool IsOpen => Policies is null && !NeedsRequests;
}
