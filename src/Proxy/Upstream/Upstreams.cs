using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Upstream;

/// <summary>The connections of one loop, by endpoint. Those of an endpoint that has left, or whose cluster connects in another way now, are closed when they are not needed any more.</summary>
internal sealed class Upstreams(EventLoop loop, Http2Streams streams) : IUpstreams
{
    private readonly Dictionary<(UpstreamEndpoint Endpoint, bool Http2), Pool> _pools = [];

    public IClientStream? Open(Cluster cluster, UpstreamEndpoint endpoint, bool grpc, IClientStreamHandler handler)
    {
        // Where the protocol is left open and there is no ALPN to ask, gRPC needs HTTP/2 and the rest is served by everybody in HTTP/1.1.
        // Read once: what is made of it is kept under it.
        var way = cluster.Way;
        var http2 = grpc && way is { Protocol: UpstreamProtocol.Auto, Tls: null };
        if (!_pools.TryGetValue((endpoint, http2), out var pool) || pool.Way != way)
        {
            pool?.Connections.Dispose();
            _pools[(endpoint, http2)] = pool = new Pool(new EndpointPool(loop, endpoint.Address, OptionsOf(cluster.Limits, way, endpoint, http2), streams), way);
        }

        return pool.Connections.Open(handler);
    }

    /// <summary>Only these stay.</summary>
    public void Keep(Predicate<UpstreamEndpoint> stays)
    {
        foreach (var (key, pool) in _pools.Where(pair => !stays(pair.Key.Endpoint)).ToList())
        {
            pool.Connections.Dispose();
            _pools.Remove(key);
        }
    }

    /// <summary>The engine of a new connection to an endpoint; null: the cluster speaks plaintext.</summary>
    public static Func<BufferPool, ITlsEngine>? TlsOf(ConnectWay way, UpstreamEndpoint endpoint)
    {
        if (way.Tls is not { } context)
            return null;
        var name = way.ServerName ?? endpoint.Config.HostName ?? endpoint.Address.Address.ToString();
        return pool => context.Connect(pool, name, endpoint: endpoint.Key);
    }

    private static PoolOptions OptionsOf(ClusterLimits limits, ConnectWay way, UpstreamEndpoint endpoint, bool http2)
    {
        return new PoolOptions
        {
            Protocol = way.Protocol switch
            {
                UpstreamProtocol.Http2 => PoolProtocol.Http2,
                UpstreamProtocol.Http1 => PoolProtocol.Http1,
                _ => http2 ? PoolProtocol.Http2 : way.Tls is null ? PoolProtocol.Http1 : PoolProtocol.Alpn,
            },
            Tls = TlsOf(way, endpoint),
            Limits = limits,
            ConnectMilliseconds = (long)way.ConnectTimeout.TotalMilliseconds,
            IdleMilliseconds = (long)way.Limits.IdleTimeout.TotalMilliseconds,
            MaxAgeMilliseconds = (long)way.Limits.MaxConnectionAge.TotalMilliseconds,
            MaxRequestsPerConnection = way.Limits.MaxRequestsPerConnection,
            PendingMilliseconds = (long)way.Limits.PendingTimeout.TotalMilliseconds,
            Http2 = new Http2Limits { MaxConcurrentStreams = way.Limits.MaxStreams, IdleMilliseconds = (long)way.Limits.IdleTimeout.TotalMilliseconds },
        };
    }

    private sealed record Pool(EndpointPool Connections, ConnectWay Way);
}
