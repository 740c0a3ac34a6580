using System.Net;
using Weft.Proxy.Downstream;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>What both fronts of a loop do with a socket, and the account of all that is open.</summary>
internal sealed class MeshAcceptors
{
    private readonly MeshServing _serving;
    private readonly DownstreamAcceptor _http;
    private readonly TcpAcceptor _tcp;
    private readonly AcceptorSettings _settings;
    private readonly TcpSettings _bytes = new() { Route = _ => null, MayBePair = true };
    private readonly HashSet<FirstBytesWait> _waiting = [];
    private readonly Dictionary<int, LoopTimer> _later = [];
    private bool _closed;

    public MeshAcceptors(LoopServices services, MeshServing serving)
    {
        (Services, _serving) = (services, serving);
        _settings = HttpFront.Settings(MeshListeners.Outbound, null, _ => null) with { MayBePair = true };
        _http = new DownstreamAcceptor(services.Loop, _settings, services.Http2Streams, change => services.Metrics.Connections += change);
        _tcp = new TcpAcceptor(services.Loop, _bytes);
    }

    public LoopServices Services { get; }

    public int Connections => _http.Connections + _tcp.Connections + _waiting.Count + _later.Count;

    public bool IsBusy => _http.IsBusy || _tcp.Connections > 0 || _waiting.Count > 0 || _later.Count > 0;

    /// <summary>Tells what the client speaks, without taking anything from the socket.</summary>
    public void Wait(int fd, Action<Spoken> told)
    {
        if (_closed)
        {
            Services.Loop.Sockets.Close(fd);
            return;
        }

        _waiting.Add(new FirstBytesWait(Services.Loop, fd, (wait, spoken) =>
        {
            _waiting.Remove(wait);
            told(spoken);
        }));
    }

    /// <summary>Leaves the connection as it is for so long.</summary>
    public void Later(int fd, long milliseconds, Action then)
    {
        if (_closed)
        {
            Services.Loop.Sockets.Close(fd);
            return;
        }

        var timer = new LoopTimer(Services.Loop.Timers, () =>
        {
            _later.Remove(fd, out var own);
            own!.Dispose();
            then();
        });
        _later.Add(fd, timer);
        timer.Set(Services.Loop.Now + milliseconds);
    }

    public void Http(int fd, IPEndPoint peer, Func<Client, IExchangeFactory?> exchanges) => _http.Accept(fd, peer, _settings with { Exchanges = exchanges });

    /// <summary>To whoever the cluster has.</summary>
    public void Tunnel(int fd, ConnectionFacts facts, string cluster) => Tunnel(fd, facts.Source, () =>
    {
        var target = _serving.Clusters.TryGetValue(cluster, out var found) ? TcpTargets.Of(Services, found, null, facts) : null;
        // What another proxy has brought, that one ends when it is idle: its rules say when.
        return target is not null && facts is { Identity: not null, Mesh.IsInbound: true } ? target with { IdleMilliseconds = 0 } : target;
    });

    public void Tunnel(int fd, IPEndPoint peer, Func<TcpTarget?> target) => _tcp.Accept(fd, peer, _bytes with { Route = _ => target() });

    /// <param name="target">From the name that the client asks for, in lower case; null: none.</param>
    public void Tls(int fd, IPEndPoint peer, Func<string?, TcpTarget?> target) => _tcp.Accept(fd, peer, _bytes with { ReadServerName = true, Route = client => target(client.ServerName) });

    /// <summary>What was let through to these workloads has to ask again: nobody looks at the bytes of a tunnel, and a connection in plaintext may not be allowed any more.</summary>
    public void Revoke(IReadOnlySet<IPAddress> addresses)
    {
        _tcp.CloseTo(addresses);
        _http.CloseMeantFor(addresses);
    }

    public void Drain(long milliseconds, bool hurry)
    {
        _http.Drain(milliseconds, hurry);
        new LoopTimer(Services.Loop.Timers, Close).Set(Services.Loop.Now + milliseconds);
    }

    public void Close()
    {
        _closed = true;
        foreach (var wait in _waiting)
        {
            wait.Cancel();
            Services.Loop.Sockets.Close(wait.Descriptor);
        }

        foreach (var (fd, timer) in _later)
        {
            timer.Dispose();
            Services.Loop.Sockets.Close(fd);
        }

        _waiting.Clear();
        _later.Clear();
        _http.CloseAll();
        _tcp.CloseAll();
    }
}
