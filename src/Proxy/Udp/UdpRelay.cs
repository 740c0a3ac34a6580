using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Udp;

/// <summary>Where a client's datagrams go, from its first one on.</summary>
/// <param name="Ended">The session is over.</param>
internal sealed record UdpTarget(IPEndPoint Address, Action Ended);

/// <param name="Route">Null from it: the datagram is dropped.</param>
/// <param name="SessionMilliseconds">A session ends so long after its last datagram.</param>
internal sealed record UdpSettings(Func<IPEndPoint, UdpTarget?> Route, long SessionMilliseconds, int MaxSessions);

/// <summary>
/// A UDP listener on one loop. A client (address and port) is a session: a socket of its own towards its endpoint, so that answers find the way back. The kernel gives all
/// datagrams of a client to the same loop (SO_REUSEPORT hashes both addresses). A datagram that finds no room is dropped, as networks do.
/// </summary>
internal sealed class UdpRelay : IPollable, IDisposable
{
    private const int ReceivesPerTurn = 256;
    // So many clients of a loop; addresses are easily made up, and each costs a socket.
    public const int DefaultMaxSessions = 10_000;
    private readonly EventLoop _loop;
    private readonly Dictionary<IPEndPoint, UdpSession> _sessions = [];
    private readonly LoopTimer _again;
    private readonly int _fd;
    private readonly int _slot;
    private bool _receives = true, _isDraining, _closed;

    /// <param name="socket">Bound, non-blocking. Its descriptor is the relay's from here on.</param>
    public UdpRelay(EventLoop loop, Socket socket, UdpSettings settings)
    {
        (_loop, Settings) = (loop, settings);
        _fd = Listener.Detach(socket);
        _again = new LoopTimer(loop.Timers, Receive);
        _slot = loop.Register(_fd, this, Libc.EpollIn | Libc.EpollEdge);
    }

    /// <summary>For sessions to come.</summary>
    public UdpSettings Settings { get; set; }

    public int Sessions => _sessions.Count;

    /// <summary>Datagrams that had nowhere to go, or found no room.</summary>
    public long Dropped { get; private set; }

    public static Socket Bind(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.SetRawSocketOption(Libc.SolSocket, Libc.SoReusePort, BitConverter.GetBytes(1));
            socket.Bind(address);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void OnEvents(uint events) => Receive();

    /// <summary>No new sessions; those that stand end when they have been quiet for a while.</summary>
    /// <param name="receives">False: what clients send is for somebody else from now on, who receives from the same socket.</param>
    public void Drain(long quietMilliseconds, bool receives)
    {
        _isDraining = true;
        if (!receives)
            StopReceiving();
        foreach (var session in _sessions.Values)
            session.EndAfter(quietMilliseconds);
    }

    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        StopReceiving();
        SocketCalls.Close(_fd);
        foreach (var session in _sessions.Values.ToArray())
            session.End();
    }

    internal void Answer(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> client)
    {
        if (SocketCalls.SendTo(_fd, datagram, client) < 0)
            Dropped++;
    }

    internal void Forget(IPEndPoint client) => _sessions.Remove(client);

    private void StopReceiving()
    {
        if (!_receives)
            return;
        _receives = false;
        _again.Dispose();
        _loop.Unregister(_slot, _fd);
    }

    private void Receive()
    {
        Span<byte> from = stackalloc byte[Libc.AddressBytes];
        for (var i = 0; i < ReceivesPerTurn && _receives; i++)
        {
            var got = SocketCalls.ReceiveFrom(_fd, _loop.ReadBuffer, from, out var length);
            if (got == -Libc.Eagain)
                return;
            if (got < 0)
                continue; // an ICMP answer to an earlier datagram; the next call has the next datagram
            var address = from[..Math.Min(length, from.Length)];
            if (SocketCalls.EndPoint(address) is { } client && SessionOf(client, address) is { } session)
                session.Send(_loop.ReadBuffer.AsSpan(0, got));
            else
                Dropped++;
        }

        // The edge is used up and there may be more: after the others have had their turn.
        _again.Set(_loop.Now);
    }

    private UdpSession? SessionOf(IPEndPoint client, ReadOnlySpan<byte> address)
    {
        if (_sessions.TryGetValue(client, out var session))
            return session;
        if (_isDraining || _sessions.Count >= Settings.MaxSessions || Settings.Route(client) is not { } target)
            return null;
        var fd = SocketCalls.ConnectDatagrams(target.Address.Serialize());
        if (fd < 0)
        {
            target.Ended();
            return null;
        }

        session = new UdpSession(_loop, this, fd, client, address.ToArray(), target.Ended, Settings.SessionMilliseconds);
        _sessions.Add(client, session);
        return session;
    }
}
