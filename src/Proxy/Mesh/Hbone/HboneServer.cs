using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Http2;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>What the server's side asks and tells; the same for all loops but for the last.</summary>
/// <param name="Inbound">Of the loop.</param>
internal sealed record HboneParts(MeshIdentities Identities, ILocalWorkloads Workloads, IMeshPeers Peers, IInboundAcceptor Inbound);

/// <summary>
/// Tunnels from other nodes to the pods of this one, on one loop. A connection is meant for the pod whose address was dialled (the socket is transparent): it is answered with that pod's
/// certificate, and leads to that pod alone.
/// </summary>
internal sealed class HboneServer : IConnectionWatcher
{
    private readonly Dictionary<Connection, HboneServerConnection> _connections = [];
    private readonly LinkedList<Early> _early = new();
    private readonly Dictionary<IPAddress, int> _unproven = [];
    private readonly LoopTimer _deadline;
    private readonly Http2ServerOptions _options;
    private readonly List<Listener> _listeners = [];
    private bool _drains;

    public HboneServer(EventLoop loop, HboneParts parts, HboneSettings settings)
    {
        (Loop, Parts, Settings) = (loop, parts, settings);
        Streams = new(loop.Buffers);
        _options = new(settings.Http2, "https");
        _deadline = new(loop.Timers, CloseLate);
        parts.Identities.OnChange(account => loop.Post(() => Renewed(account)));
    }

    public EventLoop Loop { get; }

    public HboneParts Parts { get; }

    public HboneSettings Settings { get; }

    public Http2Streams Streams { get; }

    public int Connections => _connections.Count;

    public int Tunnels { get; private set; }

    /// <summary>Closed before a byte: nobody's address, or too many.</summary>
    public long Rejected { get; private set; }

    /// <summary>Tunnels that were answered with anything but 200.</summary>
    public long Refused { get; internal set; }

    /// <param name="socket">Listening and transparent. The own share of it is this object's from here on.</param>
    public void Listen(Socket socket)
    {
        socket.Blocking = false;
        _listeners.Add(new Listener(Loop, socket, Accept));
    }

    /// <summary>Takes an accepted, non-blocking socket, whose local address is the pod's.</summary>
    public void Accept(int fd, IPEndPoint? peer)
    {
        if (SocketCalls.LocalEndPoint(fd) is { } local)
            Accept(fd, peer, local.Address.Plain());
        else
            Reject(fd);
    }

    /// <summary>Takes one that was meant for the pod with this address.</summary>
    public void Accept(int fd, IPEndPoint? peer, IPAddress pod)
    {
        if (peer is null || _drains || _connections.Count + _early.Count >= Settings.MaxConnections
            || _unproven.GetValueOrDefault(peer.Address) >= Settings.MaxUnproven || Parts.Workloads.Find(pod) is not { } workload)
        {
            Reject(fd);
            return;
        }

        _unproven[peer.Address] = _unproven.GetValueOrDefault(peer.Address) + 1;
        var account = new WorkloadAccount(workload.Namespace, workload.ServiceAccount);
        if (Parts.Identities.Accept(account, Loop.Buffers) is { } tls)
        {
            Begin(new(fd, peer, pod, workload, account, 0), tls);
            return;
        }

        // Its certificate is being signed: the client's hello waits in the socket.
        _early.AddLast(new Early(fd, peer, pod, workload, account, Loop.Now + Settings.IdentityMilliseconds));
        if (_early.Count == 1)
            _deadline.Set(_early.First!.Value.Until);
    }

    /// <summary>No more connections; those that stand are told, and close when their tunnels have ended or <see cref="CloseAll"/> ends them.</summary>
    public void Drain()
    {
        if (_drains)
            return;
        _drains = true;
        // What waits in a socket that is the supervisor's, too, is for the next proxy.
        foreach (var listener in _listeners)
            listener.Dispose();
        while (_early.First is { } early)
            Drop(early);
        foreach (var connection in _connections.Values.ToArray())
            connection.Drain();
    }

    public void CloseAll()
    {
        Drain();
        foreach (var connection in _connections.Keys.ToArray())
            connection.Drop();
    }

    public void OnOpen(Connection connection)
    {
        Proven(connection.Peer!.Address);
        _connections[connection].Opened();
    }

    public void OnGone(Connection connection)
    {
        if (!_connections.Remove(connection, out var gone))
            return;
        if (!gone.IsOpen)
            Proven(connection.Peer!.Address);
        gone.Gone();
    }

    internal Http2ServerOptions Options => _options;

    internal bool TryBegin()
    {
        if (Tunnels >= Settings.MaxTunnels)
            return false;
        Tunnels++;
        return true;
    }

    internal void Ended() => Tunnels--;

    private void Begin(Early from, ITlsEngine tls)
    {
        var connection = new Connection(Loop, from.Fd, from.Peer, connecting: false, tls, this);
        _connections.Add(connection, new HboneServerConnection(this, connection, from.Pod, from.Workload));
        connection.OpenWithin(Settings.ConnectMilliseconds);
    }

    private void Reject(int fd)
    {
        Rejected++;
        SocketCalls.Close(fd);
    }

    private void Renewed(WorkloadAccount account)
    {
        for (var node = _early.First; node is not null;)
        {
            var (next, early) = (node.Next, node.Value);
            if (early.Account == account && Parts.Identities.Accept(account, Loop.Buffers) is { } tls)
            {
                _early.Remove(node);
                Begin(early, tls);
            }

            node = next;
        }
    }

    private void CloseLate()
    {
        while (_early.First is { } first)
        {
            if (first.Value.Until > Loop.Now)
            {
                _deadline.Set(first.Value.Until);
                return;
            }

            Drop(first);
        }
    }

    private void Drop(LinkedListNode<Early> early)
    {
        _early.Remove(early);
        Proven(early.Value.Peer.Address);
        Reject(early.Value.Fd);
    }

    private void Proven(IPAddress peer)
    {
        if (--_unproven[peer] == 0)
            _unproven.Remove(peer);
    }

    private sealed record Early(int Fd, IPEndPoint Peer, IPAddress Pod, LocalWorkload Workload, WorkloadAccount Account, long Until);
}
