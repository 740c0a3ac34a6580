using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>What is done with an accepted socket. It is the receiver's to close.</summary>
internal delegate void Accepted(int fd, IPEndPoint? peer);

/// <summary>A listening socket on one loop. Each loop has one of its own for the same address (SO_REUSEPORT), and the kernel spreads the connections.</summary>
internal sealed class Listener : IPollable, ITurnTaker, IDisposable
{
    /// <summary>So many in a row; then the connections that stand have their turn. One costs about as much as a request or two.</summary>
    internal const int AcceptsPerTurn = 16;

    private const int PauseMilliseconds = 50;

    private readonly EventLoop _loop;
    private readonly Accepted _accepted;
    private readonly LoopTimer _pause;
    private readonly int _fd;
    private int _slot;
    private int _spare = SocketCalls.Spare();
    private bool _stopped, _queued;

    /// <param name="socket">Listening, non-blocking. Its descriptor is the listener's from here on.</param>
    public Listener(EventLoop loop, Socket socket, Accepted accepted)
    {
        (_loop, _accepted) = (loop, accepted);
        _fd = Detach(socket);
        _pause = new(loop.Timers, Queue);
        _slot = loop.Register(_fd, this, Libc.EpollIn | Libc.EpollEdge);
    }

    /// <param name="transparent">It takes connections that were meant for other addresses, once the kernel is told to bring them here (TPROXY). Takes CAP_NET_ADMIN.</param>
    public static Socket Bind(IPEndPoint address, int backlog = 4096, bool transparent = false)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.SetRawSocketOption(Libc.SolSocket, Libc.SoReusePort, BitConverter.GetBytes(1));
            if (transparent && !SocketCalls.Transparent((int)socket.SafeHandle.DangerousGetHandle(), address.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AfInet6 : Libc.AfInet))
                throw new SocketException((int)SocketError.AccessDenied);
            socket.Bind(address);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connections that found no descriptor and were closed at once.</summary>
    public long Shed { get; private set; }

    /// <summary>For connections to come, which inherit it.</summary>
    public void Keep(KeepAlive alive) => alive.Apply(_fd);

    /// <summary>Connections that stand come before new ones: these wait until all that has come for those is done.</summary>
    public void OnEvents(uint events) => Queue();

    public void TakeTurn()
    {
        _queued = false;
        Accept();
    }

    /// <summary>
    /// The descriptor without the object around it: that one may shut the socket down when it is disposed, for everybody who has it, where a plain close only gives up the own share.
    /// </summary>
    public static int Detach(Socket socket)
    {
        var fd = (int)socket.SafeHandle.DangerousGetHandle();
        socket.SafeHandle.SetHandleAsInvalid();
        return fd;
    }

    /// <summary>Accepts what waits already, which would be reset with the socket; then no more.</summary>
    public void TakeAndDispose()
    {
        if (_stopped)
            return;
        while (AcceptOne())
        {
        }

        Dispose();
    }

    /// <summary>Accepts no more. The own share of the socket is closed: what waits in it is reset, but where somebody else holds it: then it waits for the next proxy.</summary>
    public void Dispose()
    {
        if (_stopped)
            return;
        _stopped = true;
        _pause.Dispose();
        _loop.Unregister(_slot, _fd);
        _slot = -1;
        SocketCalls.Close(_fd);
        if (_spare >= 0)
            SocketCalls.Close(_spare);
    }

    private void Queue()
    {
        if (_queued || _stopped)
            return;
        _queued = true;
        _loop.GiveTurn(this);
    }

    private void Accept()
    {
        for (var accepts = 0; !_stopped; accepts++)
        {
            if (accepts == AcceptsPerTurn)
            {
                Queue();
                return;
            }

            if (!AcceptOne())
                return;
        }
    }

    /// <returns>Whether there may be another.</returns>
    private bool AcceptOne()
    {
        Span<byte> address = stackalloc byte[Libc.AddressBytes];
        var fd = SocketCalls.Accept(_fd, address, out var length);
        if (fd >= 0)
        {
            SocketCalls.NoDelay(fd);
            Hand(fd, SocketCalls.EndPoint(address[..Math.Min(length, address.Length)]));
        }
        else if (fd == -Libc.Eagain)
        {
            return false;
        }
        else if (fd is -Libc.Emfile or -Libc.Enfile ? !ShedOne() : fd is not (-Libc.Econnaborted or -Libc.Eintr))
        {
            // What may last (no memory, a socket that somebody has shut down) must not have the loop for itself; the edge is used up, so it is looked at again.
            _pause.Set(_loop.Now + PauseMilliseconds);
            return false;
        }

        // Taken, shed, or gone before it was taken (ECONNABORTED).
        return true;
    }

    // The edge is used up: those behind one that brings a defect to light must not wait for the next that comes.
    private void Hand(int fd, IPEndPoint? peer)
    {
        try
        {
            _accepted(fd, peer);
        }
        catch
        {
            Queue();
            throw;
        }
    }

    // Without a descriptor the queue would only fill: the client is told at once, with the one that was kept for this.
    private bool ShedOne()
    {
        if (_spare < 0)
        {
            _spare = SocketCalls.Spare();
            return false;
        }

        SocketCalls.Close(_spare);
        Span<byte> address = stackalloc byte[Libc.AddressBytes];
        var fd = SocketCalls.Accept(_fd, address, out _);
        if (fd >= 0)
        {
            SocketCalls.Close(fd);
            Shed++;
        }

        _spare = SocketCalls.Spare();
        return fd >= 0;
    }
}
