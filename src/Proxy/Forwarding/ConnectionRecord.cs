using Weft.Proxy.Mesh;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>What a captured connection of which no requests are known tells metrics and log.</summary>
internal sealed class ConnectionRecord(LoopServices services, ConnectionFacts facts, MeshConnection mesh, Cluster cluster, UpstreamEndpoint endpoint)
{
    // Of the protocol's version, where there is none.
    private const byte Tcp = 1;
    private readonly long _started = services.Loop.Nanoseconds;
    private readonly ConnectionSeries _series = Open(services, facts, mesh, cluster, endpoint);

    /// <summary>Where its bytes are counted.</summary>
    public ConnectionSeries Series => _series;

    /// <param name="tunnel">Null: no connection could be made.</param>
    public void End(TcpTunnel? tunnel)
    {
        _series.Close();
        var record = Of(services, facts, mesh, services.Loop.Nanoseconds - _started);
        (record.RequestBytes, record.ResponseBytes) = (tunnel?.Sent ?? 0, tunnel?.Received ?? 0);
        record.Cluster = services.Names.Texts.Intern(cluster.Config.Name);
        var failed = tunnel is null or { NeverConnected: true };
        record.Flags = failed ? ResponseFlags.UpstreamConnectionFailure : tunnel!.IsTooOld ? ResponseFlags.DurationTimeout : ResponseFlags.None;
        record.AddTry(new Try(services.Names.Texts.Intern(endpoint.Key), 0, 0, failed ? TryOutcome.ConnectFailed : TryOutcome.Answered));
        Write(services, facts, mesh, record);
    }

    /// <summary>One that was closed because it may not be.</summary>
    /// <param name="policy">That refused it; null: none did.</param>
    /// <param name="detail">Why, in a word; a constant.</param>
    public static void Refused(LoopServices services, ConnectionFacts facts, string? policy, string detail)
    {
        var record = Of(services, facts, facts.Mesh!, 0);
        record.Policy = policy is null ? 0 : services.Names.Texts.Intern(policy);
        record.Detail = services.Names.Texts.Intern(detail);
        Write(services, facts, facts.Mesh!, record);
    }

    private static ConnectionSeries Open(LoopServices services, ConnectionFacts facts, MeshConnection mesh, Cluster cluster, UpstreamEndpoint endpoint)
    {
        var names = services.Names;
        var labels = cluster.Way.Paths?.LabelsOf(cluster, endpoint) ?? mesh.Destination;
        var security = !mesh.IsInbound ? SecurityPolicy.Unknown : facts.Identity is null ? SecurityPolicy.None : SecurityPolicy.MutualTls;
        var series = services.Metrics.Tunnels.Of(new ConnectionKey(
            mesh.Source is { } source ? names.Sources.Intern(source.Labels) : 0, names.Destinations.Intern(labels), mesh.IsInbound ? Reporter.Destination : Reporter.Source, security, mesh.Telemetry?.Current.Metrics ?? 0));
        series.Open();
        return series;
    }

    private static AccessRecord Of(LoopServices services, ConnectionFacts facts, MeshConnection mesh, long nanoseconds)
    {
        var names = services.Names.Texts;
        return new AccessRecord
        {
            StartMicroseconds = ((services.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10) - (nanoseconds / 1000), DurationMicroseconds = nanoseconds / 1000, UpstreamMicroseconds = -1,
            Listener = names.Intern(mesh.IsInbound ? "inbound" : "outbound"), Source = mesh.Source is { } source ? names.Intern(source.Name) : 0, Service = mesh.Service is { } service ? names.Intern(service) : 0,
            Identity = facts.Identity is { } identity ? names.Intern(identity) : 0,
            ClientAddress = ExchangeRecord.Number(facts.Source.Address), ClientPort = (ushort)facts.Source.Port,
            LocalAddress = ExchangeRecord.Number(facts.Destination.Address), LocalPort = (ushort)facts.Destination.Port,
            GrpcStatus = -1, HttpVersion = Tcp, Logged = true,
        };
    }

    private static void Write(LoopServices services, ConnectionFacts facts, MeshConnection mesh, AccessRecord record)
    {
        var telemetry = mesh.Telemetry?.Current ?? TelemetryView.Default;
        record.Logged = telemetry.Logged && (telemetry.Log is not { } rule || LogCheck.Holds(rule, new LogFacts
        {
            Status = -1, GrpcStatus = -1, MutualTls = mesh.IsInbound && facts.Identity is not null, RequestBytes = record.RequestBytes, ResponseBytes = record.ResponseBytes,
        }));
        if (record.Logged)
            services.Access.Write(record, default);
    }
}
