using System.Collections.Concurrent;
using System.Net;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Upstream.Clusters;

/// <summary>Endpoints that nobody has listed: the addresses that connections were meant for. Asked by all loops.</summary>
internal sealed class OriginalAddresses(int loops)
{
    // A client may dial any address: beyond this those that nobody uses are forgotten, with their pools.
    private const int MaxEndpoints = 4096;
    private readonly ConcurrentDictionary<IPEndPoint, UpstreamEndpoint> _endpoints = new();

    public IEnumerable<UpstreamEndpoint> All => _endpoints.Values;

    public UpstreamEndpoint Of(IPEndPoint address)
    {
        if (_endpoints.TryGetValue(address, out var known))
            return known;
        if (_endpoints.Count >= MaxEndpoints)
            ForgetIdle();
        return _endpoints.GetOrAdd(address, static (at, count) => new UpstreamEndpoint(new EndpointConfig { Address = at.Address.ToString(), Port = at.Port }, at, count, now: 0), loops);
    }

    private void ForgetIdle()
    {
        foreach (var (address, endpoint) in _endpoints)
        {
            if (endpoint.State.Active == 0)
                _endpoints.TryRemove(address, out _);
        }
    }
}
