using System.Net;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Upstream;

/// <summary>The connections of one loop, by endpoint. Those of an endpoint that has left are closed when they are not needed any more.</summary>
internal sealed class Upstreams(EventLoop loop) : IUpstreams
{
    private readonly Dictionary<UpstreamEndpoint, EndpointPool> _pools = [];

    public IClientStream? Open(Cluster cluster, UpstreamEndpoint endpoint, bool grpc, IClientStreamHandler handler)
    {
        if (!_pools.TryGetValue(endpoint, out var pool))
            _pools.Add(endpoint, pool = new EndpointPool(loop, endpoint.Address, OptionsOf(cluster)));
        return pool.Open(handler);
    }

    /// <summary>Only these stay; or all but those of a cluster whose connection settings have changed.</summary>
    public void Keep(Func<UpstreamEndpoint, bool> stays)
    {
        foreach (var (endpoint, pool) in _pools.Where(pair => !stays(pair.Key)).ToList())
        {
            pool.Dispose();
            _pools.Remove(endpoint);
        }
    }

    private static PoolOptions OptionsOf(Cluster cluster)
    {
        var config = cluster.Config;
        return new PoolOptions((long)config.ConnectTimeout.TotalMilliseconds, (long)config.Limits.IdleTimeout.TotalMilliseconds, MaxConnections: config.Limits.MaxConnections);
    }
}
