using System.Net;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>
/// Tunnels to other nodes' workloads, on one loop. A connection belongs to one source identity and one destination, so the certificate that it was made with says for every
/// tunnel in it who sends.
/// </summary>
internal sealed class HboneClient
{
    private readonly EventLoop _loop;
    private readonly MeshIdentities _identities;
    private readonly Http2Streams _streams;
    private readonly Dictionary<PoolKey, Pool> _pools = [];
    private readonly HashSet<HboneOutbound> _waiting = []; // for a certificate
    private int _tunnels;

    public HboneClient(EventLoop loop, MeshIdentities identities, HboneSettings settings)
    {
        (_loop, _identities, Settings, _streams) = (loop, identities, settings, new(loop.Buffers));
        identities.OnChange(account => loop.Post(() => Renewed(account)));
    }

    public HboneSettings Settings { get; }

    public EventLoop Loop => _loop;

    /// <summary>Of the CONNECT that is being written: none outlives the call.</summary>
    public RequestHead Head { get; } = new();

    public int Tunnels => _tunnels;

    public int Connections => _pools.Values.Sum(pool => pool.Connections.Connections);

    /// <summary>Connections that were begun, by pools that are in use.</summary>
    public long Opened => _pools.Values.Sum(pool => pool.Connections.Opened);

    /// <summary>As <see cref="HboneConnector.Connect(Registration.LocalWorkload, IPAddress?, IPEndPoint, string, EventLoop)"/>.</summary>
    public int Connect(WorkloadAccount account, IPAddress? source, IPEndPoint destination, string expectedIdentity)
    {
        if (_tunnels >= Settings.MaxTunnels || !account.IsValid)
            return -1;
        var (near, other) = _loop.Sockets.Pair();
        _tunnels++;
        new HboneOutbound(this, new Connection(_loop, near, null, connecting: false) { HangUpIsLoss = true }, account, source, destination, expectedIdentity).Start();
        return other;
    }

    /// <summary>Null: there is no certificate now; the tunnel hears of the next.</summary>
    public EndpointPool? PoolOf(HboneOutbound tunnel)
    {
        var generation = _identities.Generation(tunnel.Account);
        if (generation == 0)
        {
            _identities.Want(tunnel.Account);
            _waiting.Add(tunnel);
            return null;
        }

        var key = new PoolKey(tunnel.Account, tunnel.Destination.Address, tunnel.ExpectedIdentity);
        if (_pools.TryGetValue(key, out var pool) && pool.Generation == generation)
            return pool.Connections;
        // Tunnels that are open stay on the connections of the older certificate until they end.
        pool?.Connections.Dispose();
        var made = Make(key);
        _pools[key] = new(generation, made);
        return made;
    }

    public void Ended(HboneOutbound tunnel)
    {
        _waiting.Remove(tunnel);
        _tunnels--;
    }

    public void StopWaiting(HboneOutbound tunnel) => _waiting.Remove(tunnel);

    public void Drain()
    {
        foreach (var pool in _pools.Values)
            pool.Connections.Dispose();
        _pools.Clear();
    }

    private EndpointPool Make(PoolKey key) => new(
        _loop, new IPEndPoint(key.Destination, Settings.Port), new PoolOptions
        {
            Protocol = PoolProtocol.Http2,
            Tls = buffers => _identities.Connect(key.Account, buffers, key.ExpectedIdentity) ?? throw new ObjectDisposedException(nameof(MeshIdentities)), // it has just ended
            ConnectMilliseconds = Settings.ConnectMilliseconds,
            MaxAgeMilliseconds = Settings.MaxAgeMilliseconds,
            Http2 = Settings.Http2 with { IdleMilliseconds = Settings.ClientIdleMilliseconds },
        }, _streams, emptied =>
        {
            if (_pools.TryGetValue(key, out var pool) && pool.Connections == emptied)
                _pools.Remove(key);
        });

    private void Renewed(WorkloadAccount account)
    {
        foreach (var tunnel in _waiting.Where(each => each.Account == account).ToArray())
        {
            _waiting.Remove(tunnel);
            tunnel.Open();
        }
    }

    private sealed record Pool(long Generation, EndpointPool Connections);

    private readonly record struct PoolKey(WorkloadAccount Account, IPAddress Destination, string ExpectedIdentity);
}
