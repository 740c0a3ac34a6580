using System.Net;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Udp;

/// <summary>One client of a UDP listener and the socket towards its endpoint.</summary>
internal sealed class UdpSession : IPollable
{
    private const int ReceivesPerTurn = 64;
    private readonly EventLoop _loop;
    private readonly UdpRelay _relay;
    private readonly IPEndPoint _client;
    private readonly byte[] _clientAddress;
    private readonly Action _ended;
    private long _idle;
    private readonly LoopTimer _timer;
    private readonly LoopTimer _again;
    private readonly int _fd;
    private readonly int _slot;
    private bool _over;

    public UdpSession(EventLoop loop, UdpRelay relay, int fd, IPEndPoint client, byte[] clientAddress, Action ended, long idleMilliseconds)
    {
        (_loop, _relay, _fd, _client, _clientAddress, _ended, _idle) = (loop, relay, fd, client, clientAddress, ended, idleMilliseconds);
        _timer = new LoopTimer(loop.Timers, End);
        _again = new LoopTimer(loop.Timers, Receive);
        _slot = loop.Register(fd, this, Libc.EpollIn | Libc.EpollEdge);
        Touch();
    }

    public void Send(ReadOnlySpan<byte> datagram)
    {
        Touch();
        _ = SocketCalls.Send(_fd, datagram);
    }

    public void OnEvents(uint events) => Receive();

    public void End()
    {
        if (_over)
            return;
        _over = true;
        _timer.Dispose();
        _again.Dispose();
        _loop.Unregister(_slot);
        SocketCalls.Close(_fd);
        _relay.Forget(_client);
        _ended();
    }

    /// <summary>From now on it takes no longer than that without a datagram.</summary>
    public void EndAfter(long idleMilliseconds)
    {
        _idle = Math.Min(_idle, idleMilliseconds);
        _timer.Set(Math.Min(_timer.At, _loop.Now + _idle));
    }

    private void Touch() => _timer.Set(_loop.Now + _idle);

    private void Receive()
    {
        for (var i = 0; i < ReceivesPerTurn; i++)
        {
            var got = SocketCalls.Receive(_fd, _loop.ReadBuffer);
            if (got == -Libc.Eagain)
                return;
            if (got < 0)
                continue; // ICMP: nobody listens there now; the session's time runs out by itself
            Touch();
            _relay.Answer(_loop.ReadBuffer.AsSpan(0, got), _clientAddress);
        }

        _again.Set(_loop.Now);
    }
}
