using System.Net.Sockets;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Tests.Mesh.Hbone;

/// <summary>An end of a pair within a loop as a socket of the kernel's, so that a test can read and write it from its own thread.</summary>
internal sealed class KernelEnd : IProtocol
{
    private readonly Connection _from, _to;
    private bool _ended;
    private KernelEnd? _back;

    private KernelEnd(Connection from, Connection to) => (_from, _to) = (from, to);

    /// <summary>On the loop.</summary>
    public static Socket Of(EventLoop loop, int fd)
    {
        var (own, other) = SocketCalls.Pair()!.Value;
        var (local, kernel) = (new Connection(loop, fd, null, connecting: false) { HangUpIsLoss = true }, new Connection(loop, own, null, connecting: false) { HangUpIsLoss = true });
        var (there, back) = (new KernelEnd(local, kernel), new KernelEnd(kernel, local));
        (there._back, back._back) = (back, there);
        (local.Protocol, kernel.Protocol) = (there, back);
        // Said once, so that .NET knows what the descriptor is: it waits by itself then.
        var socket = new Socket(new SafeSocketHandle(other, ownsHandle: true)) { Blocking = false };
        (socket.Blocking, socket.ReceiveTimeout, socket.SendTimeout) = (true, 30_000, 30_000);
        return socket;
    }

    public int OnData(ReadOnlySpan<byte> data)
    {
        _to.Write(data);
        if (_to.IsBlocked)
            _from.PauseReading();
        return data.Length;
    }

    public void OnEnd()
    {
        _ended = true;
        _to.ShutdownWriting();
        if (!_back!._ended)
            return;
        _from.CloseGracefully(peerMaySend: false);
        _to.CloseGracefully(peerMaySend: false);
    }

    public void OnWritable() => _to.ResumeReading();

    public void OnTimeout()
    {
        // none is set
    }

    public void OnClosed() => _to.Abort();
}
