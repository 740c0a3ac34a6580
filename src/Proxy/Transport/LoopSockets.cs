using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>Calls on sockets that are the kernel's or ends of a pair within the loop (<see cref="LocalSockets"/>), by their numbers. On the loop.</summary>
internal readonly struct LoopSockets(LocalSockets local)
{
    /// <summary>Two ends of one stream.</summary>
    public (int One, int Other) Pair() => local.Pair();

    /// <summary>Ends of pairs that are open.</summary>
    public int Open => local.Count;

    public int Receive(int fd, Span<byte> buffer) => LocalSockets.IsLocal(fd) ? local.Receive(fd, buffer) : SocketCalls.Receive(fd, buffer);

    public int Peek(int fd, Span<byte> buffer) => LocalSockets.IsLocal(fd) ? local.Peek(fd, buffer) : SocketCalls.Peek(fd, buffer);

    public bool HasUnread(int fd) => LocalSockets.IsLocal(fd) ? local.Peek(fd, stackalloc byte[1]) >= 0 : SocketCalls.HasUnread(fd);

    public int Send(int fd, ReadOnlySpan<byte> data) => LocalSockets.IsLocal(fd) ? local.Send(fd, data) : SocketCalls.Send(fd, data);

    /// <summary>Both, in this order.</summary>
    public int Send(int fd, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (!LocalSockets.IsLocal(fd))
            return SocketCalls.Send(fd, first, second);
        var sent = local.Send(fd, first);
        if (sent < first.Length)
            return sent;
        var more = local.Send(fd, second);
        return more < 0 ? sent : sent + more;
    }

    /// <summary>The error that waits on a socket; 0: none.</summary>
    public int Error(int fd) => LocalSockets.IsLocal(fd) ? 0 : SocketCalls.Error(fd);

    public void ShutdownWriting(int fd)
    {
        if (LocalSockets.IsLocal(fd))
            local.ShutdownWriting(fd);
        else
            SocketCalls.ShutdownWriting(fd);
    }

    public void Close(int fd)
    {
        if (LocalSockets.IsLocal(fd))
            local.Close(fd);
        else
            SocketCalls.Close(fd);
    }

    /// <inheritdoc cref="SocketCalls.Reset"/>
    public void Reset(int fd)
    {
        if (LocalSockets.IsLocal(fd))
            local.Close(fd);
        else
            SocketCalls.Reset(fd);
    }
}
