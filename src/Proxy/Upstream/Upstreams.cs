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
        var http2 = grpc && cluster.Config is { Protocol: UpstreamProtocol.Auto, Tls: null };
        var way = cluster.Way;
        if (!_pools.TryGetValue((endpoint, http2), out var pool) || pool.Way != way)
        {
            pool?.Connections.Dispose();
            _pools[(endpoint, http2)] = pool = new Pool(new EndpointPool(loop, endpoint.Address, OptionsOf(cluster, endpoint, http2), streams), way);
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
    public static Func<BufferPool, ITlsEngine>? TlsOf(Cluster cluster, UpstreamEndpoint endpoint)
    {
        if (cluster.Way.Tls is not { } context)
            return null;
        var name = cluster.Config.Tls?.ServerName ?? endpoint.Config.HostName ?? endpoint.Address.Address.ToString();
        return pool => context.Connect(pool, name, endpoint: endpoint.Key);
    }

    private static PoolOptions OptionsOf(Cluster cluster, UpstreamEndpoint endpoint, bool http2)
    {
        var config = cluster.Config;
        return new PoolOptions
        {
            Protocol = config.Protocol switch
            {
                UpstreamProtocol.Http2 => PoolProtocol.Http2,
                UpstreamProtocol.Http1 => PoolProtocol.Http1,
                _ => http2 ? PoolProtocol.Http2 : config.Tls is null ? PoolProtocol.Http1 : PoolProtocol.Alpn,
            },
            Tls = TlsOf(cluster, endpoint),
            Limits = cluster.Limits,
            ConnectMilliseconds = (long)config.ConnectTimeout.TotalMilliseconds,
            IdleMilliseconds = (long)config.Limits.IdleTimeout.TotalMilliseconds,
            MaxAgeMilliseconds = (long)config.Limits.MaxConnectionAge.TotalMilliseconds,
            MaxRequestsPerConnection = config.Limits.MaxRequestsPerConnection,
            PendingMilliseconds = (long)config.Limits.PendingTimeout.TotalMilliseconds,
            Http2 = new Http2Limits { MaxConcurrentStreams = config.Limits.MaxStreams },
        };
    }

    private sealed record Pool(EndpointPool Connections, ConnectWay Way);
}
