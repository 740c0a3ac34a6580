using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Upstream;

/// <summary>The connections of one loop, by endpoint. Those of an endpoint that has left, or whose cluster connects in another way now, are closed when they are not needed any more.</summary>
internal sealed class Upstreams(EventLoop loop, Http2Streams streams) : IUpstreams
{
    private readonly Dictionary<PoolKey, Pool> _pools = [];

    public IClientStream? Open(Cluster cluster, UpstreamEndpoint endpoint, bool grpc, byte version, ConnectionFacts? client, IClientStreamHandler handler)
    {
        // Where the protocol is left open and there is no ALPN to ask, gRPC needs HTTP/2 and the rest is served by everybody in HTTP/1.1.
        // Read once: what is made of it is kept under it.
        var way = cluster.Way;
        var http2 = way.Tls is null && way.Protocol switch { UpstreamProtocol.Auto => grpc, UpstreamProtocol.Client => grpc || version == 20, _ => false };
        var key = new PoolKey(endpoint, http2, way.KeyOf(client, endpoint));
        if (!_pools.TryGetValue(key, out var pool) || pool.Way != way)
        {
            pool?.Connections.Dispose();
            _pools[key] = pool = Create(cluster.Limits, way, key);
        }

        var stream = pool.Connections.Open(handler);
        if (stream is null && !key.Client.IsEmpty && pool.Connections is { Connections: 0, Waiting: 0 })
            Forget(key, pool.Connections);
        return stream;
    }

    /// <summary>Endpoints, ways and, where those matter, clients that connections are kept for.</summary>
    public int Pools => _pools.Count;

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
    /// <param name="sessions">Of the loop that connects and of this way alone; null: nothing is resumed.</param>
    public static Func<BufferPool, ITlsEngine>? TlsOf(ConnectWay way, UpstreamEndpoint endpoint, TlsSessionCache? sessions = null)
    {
        if (way.Tls is not { } context)
            return null;
        // Read for each connection: what is said of an endpoint may change while it stays.
        return pool => context.Connect(
            pool, way.ServerName ?? endpoint.Config.HostName ?? endpoint.Address.Address.ToString(), sessions, endpoint: endpoint.Key, identity: endpoint.Config.Identity);
    }

    // Apart from the way that each request takes, which must not allocate what is captured here.
    private Pool Create(ClusterLimits limits, ConnectWay way, PoolKey key) =>
        new(new EndpointPool(loop, key.Endpoint.Address, OptionsOf(limits, way, key), streams, key.Client.IsEmpty ? null : gone => Forget(key, gone)), way);

    // There are as many of these as clients: one without a connection is not kept.
    private void Forget(PoolKey key, EndpointPool gone)
    {
        gone.Dispose();
        if (_pools.TryGetValue(key, out var pool) && pool.Connections == gone)
            _pools.Remove(key);
    }

    private PoolOptions OptionsOf(ClusterLimits limits, ConnectWay way, PoolKey key)
    {
        var sessions = way.Tls is null ? null : new TlsSessionCache();
        return new PoolOptions
        {
            Protocol = way.Protocol switch
            {
                UpstreamProtocol.Http2 => PoolProtocol.Http2,
                UpstreamProtocol.Http1 => PoolProtocol.Http1,
                _ => key.Http2 ? PoolProtocol.Http2 : way.Tls is null ? PoolProtocol.Http1 : PoolProtocol.Alpn,
            },
            Tls = TlsOf(way, key.Endpoint, sessions),
            Sessions = sessions,
            KeepAlive = way.KeepAlive,
            First = way.ProxyProtocol == ProxyProtocolVersion.None ? null : ProxyHeader.Of(way.ProxyProtocol, key.Client.Source, key.Client.Destination),
            Source = key.Client.Address,
            Dial = key.Client.Path is { } path ? () => way.Paths!.Dial(path, key.Endpoint.Address, loop) : null,
            Limits = limits,
            ConnectMilliseconds = (long)way.ConnectTimeout.TotalMilliseconds,
            IdleMilliseconds = (long)way.Limits.IdleTimeout.TotalMilliseconds,
            MaxAgeMilliseconds = (long)way.Limits.MaxConnectionAge.TotalMilliseconds,
            MaxRequestsPerConnection = way.Limits.MaxRequestsPerConnection,
            PendingMilliseconds = (long)way.Limits.PendingTimeout.TotalMilliseconds,
            Http2 = new Http2Limits { MaxConcurrentStreams = way.Limits.MaxStreams, IdleMilliseconds = (long)way.Limits.IdleTimeout.TotalMilliseconds },
        };
    }

    private readonly record struct PoolKey(UpstreamEndpoint Endpoint, bool Http2, ClientKey Client);

    private sealed record Pool(EndpointPool Connections, ConnectWay Way);
}
