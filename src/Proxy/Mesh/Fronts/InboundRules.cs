using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.State;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>What comes to a workload has to pass, compiled. The newest one of a workload is looked up for each connection.</summary>
/// <param name="Policies">Of connections; null: none.</param>
/// <param name="NeedsRequests">Connections alone do not tell enough.</param>
/// <param name="Http1">What its requests are served by. Stays the same object while the workload stays, so that connections find the newest view.</param>
internal sealed record InboundRules(MeshWorkload Workload, PolicySet? Policies, bool NeedsRequests, HttpListenerState Http1, HttpListenerState Http2)
{
    public bool IsOpen => Policies is null && !NeedsRequests;
}
