using Weft.Balancing;
using Weft.Balancing.Health;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Routing;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>From the cluster of a connection to the endpoint that it is joined with.</summary>
internal static class TcpTargets
{
    // Endpoints that are tried before a client is told that nobody is there: as many as Envoy's max_connect_attempts may be worth, each for its connect time-out.
    private const int MostTries = 3;

    /// <summary>Null: a limit was reached, or nobody is there.</summary>
    public static TcpTarget? Of(LoopServices services, Cluster cluster, string? subset, ConnectionFacts facts) => Of(services, cluster, subset, facts, default, MostTries);

    private static TcpTarget? Of(LoopServices services, Cluster cluster, string? subset, ConnectionFacts facts, TriedEndpoints tried, int tries)
    {
        if (!cluster.Limits.TryConnect())
            return null;
        if (cluster.Pick(subset, new PickRequest(StableHash.Of(facts.Source.Address.GetAddressBytes())) { Tried = tried }, facts.Destination, ref services.Rng, out var index) is not { } endpoint)
        {
            cluster.Limits.Disconnected();
            return null;
        }

        endpoint.State.Started();
        endpoint.Connected();
        var record = facts.Mesh is { } mesh ? new ConnectionRecord(services, facts, mesh, cluster, endpoint) : null;
        var way = cluster.Way;
        var key = way.KeyOf(facts, endpoint);
        var first = way.ProxyProtocol == ProxyProtocolVersion.None ? null : ProxyHeader.Of(way.ProxyProtocol, facts.Source, facts.Destination);
        return new TcpTarget(endpoint.Address, Upstreams.TlsOf(way, endpoint), first, key.Address, way.KeepAlive, tunnel =>
        {
            record?.End(tunnel);
            cluster.Limits.Disconnected();
            endpoint.Disconnected();
            endpoint.State.Ended(-1, services.Loop.Now * 1_000_000);
            // A connection that was made and never answered says nothing: the client may have left before it was its turn. Nor does one that this client may not make: others may.
            cluster.Report(
                endpoint, tunnel is { Received: > 0 } ? AttemptOutcome.Success : tunnel is null or { NeverConnected: true } && !key.IsRefused ? AttemptOutcome.LocalError : AttemptOutcome.Neutral, services.Number);
        })
        {
            IdleMilliseconds = way.Limits.TunnelIdleTimeout is { } idle ? (long)idle.TotalMilliseconds : null,
            MaxAgeMilliseconds = (long)way.Limits.MaxConnectionAge.TotalMilliseconds,
            Series = record?.Series,
            ConnectMilliseconds = (long)way.ConnectTimeout.TotalMilliseconds,
            Dial = key.Path is { } path ? () => way.Paths!.Dial(path, endpoint.Address, services.Loop) : null,
            Next = tries > 1 && index >= 0 ? () => Of(services, cluster, subset, facts, tried.With(index), tries - 1) : null,
        };
    }
}
