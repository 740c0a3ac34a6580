using System.Collections.Frozen;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>What an HTTP listener serves by at a moment. Immutable; a request reads it once.</summary>
/// <param name="Number">The listener's name in the table of texts.</param>
/// <param name="LogFields">Fields that the log asks for beside what every record has; null: none.</param>
/// <param name="Telemetry">Of the workload that the listener is of, where that is one of a mesh; connections of the mesh have their own.</param>
/// <param name="Tracing">Null: traces are passed on and not taken part in.</param>
internal sealed record HttpView(
    ListenerConfig Config, int Number, RouteTable Routes, EdgeStage Edge, FrozenDictionary<string, Cluster> Clusters, TracingSettings? Tracing, bool Recorded, double RecordedFraction,
    LogFields? LogFields = null, TelemetryCell? Telemetry = null);

/// <summary>An HTTP listener for as long as its name and address stay. Its connections find the newest view here.</summary>
internal sealed class HttpListenerState(HttpView view)
{
    private HttpView _view = view;

    public HttpView Current => Volatile.Read(ref _view);

    public void Publish(HttpView next) => Volatile.Write(ref _view, next);
}
