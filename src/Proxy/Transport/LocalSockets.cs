using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>
/// Streams between two parties of one loop, that the kernel knows nothing of: what they cost is a copy, where a pair of the kernel's costs two calls and a wake-up for each write. An end is named
/// by a number like a descriptor and behaves as one of a pair of AF_UNIX does, so that whoever has a descriptor need not know which kind it is. On the loop.
/// </summary>
internal sealed class LocalSockets(BufferPool buffers)
{
    // The kernel gives no descriptor so high: fs.nr_open is below it (sysctl_nr_open_max in fs/file.c).
    private const int First = 1 << 30;

    // As much as one read takes.
    private const int Room = EventLoop.ReadBufferBytes;
    private readonly List<End?> _ends = [];
    private readonly Stack<int> _free = new();
    private readonly Queue<End> _ready = new();

    /// <summary>Whether this is the number of an end, and no descriptor of the kernel's.</summary>
    public static bool IsLocal(int fd) => fd >= First;

    /// <summary>Events that nobody has fetched yet.</summary>
    public bool HasEvents => _ready.Count > 0;

    /// <summary>Ends that are open.</summary>
    public int Count => _ends.Count - _free.Count;

    public (int One, int Other) Pair()
    {
        var (one, other) = (new End(buffers), new End(buffers));
        (one.Peer, other.Peer) = (other, one);
        return (Add(one), Add(other));
    }

    /// <summary>Edge-triggered: begins with what the end is ready for now.</summary>
    /// <param name="number">Comes back with the events.</param>
    public void Watch(int fd, uint events, ulong number)
    {
        var end = Of(fd);
        (end.Number, end.Watched) = (number, events | Libc.EpollErr | Libc.EpollHup);
        end.Events = 0;
        Raise(end, (end.In.IsEmpty ? 0 : Libc.EpollIn) | (end.Peer.In.Length < Room ? Libc.EpollOut : 0) | EndOf(end));
    }

    public void Unwatch(int fd) => (Of(fd).Watched, Of(fd).Events) = (0, 0);

    /// <summary>False: there are none.</summary>
    public bool TryFetch(out ulong number, out uint events)
    {
        while (_ready.TryDequeue(out var end))
        {
            (number, events) = (end.Number, end.Events);
            (end.IsReady, end.Events) = (false, 0);
            if (events != 0)
                return true;
        }

        (number, events) = (0, 0);
        return false;
    }

    /// <inheritdoc cref="SocketCalls.Receive"/>
    public int Receive(int fd, Span<byte> buffer)
    {
        var end = Of(fd);
        var got = Peek(end, buffer);
        if (got <= 0)
            return got;
        end.In.Consume(got);
        if (end.Peer.IsStarved && end.In.Length <= Room / 2)
        {
            end.Peer.IsStarved = false;
            Raise(end.Peer, Libc.EpollOut);
        }

        return got;
    }

    /// <inheritdoc cref="SocketCalls.Peek"/>
    public int Peek(int fd, Span<byte> buffer) => Peek(Of(fd), buffer);

    /// <inheritdoc cref="SocketCalls.Send(int, ReadOnlySpan{byte})"/>
    public int Send(int fd, ReadOnlySpan<byte> data)
    {
        var end = Of(fd);
        if (end.IsShut || end.Peer.IsClosed)
            return -Libc.Epipe;
        var taken = Math.Min(data.Length, Room - end.Peer.In.Length);
        end.IsStarved = taken < data.Length;
        if (taken == 0)
            return -Libc.Eagain;
        end.Peer.In.Write(data[..taken]);
        Raise(end.Peer, Libc.EpollIn);
        return taken;
    }

    public void ShutdownWriting(int fd)
    {
        var end = Of(fd);
        if (end.IsShut)
            return;
        end.IsShut = true;
        Raise(end.Peer, EndOf(end.Peer));
        if (end.Peer.IsShut)
            Raise(end, EndOf(end));
    }

    /// <summary>What the other end has not read yet stays for it.</summary>
    public void Close(int fd)
    {
        var end = Of(fd);
        _ends[fd - First] = null;
        _free.Push(fd - First);
        // As the kernel has it: who closes what it has not read cuts the stream.
        end.Peer.IsReset |= !end.In.IsEmpty;
        (end.IsClosed, end.Watched, end.Events) = (true, 0, 0);
        end.In.Dispose();
        if (!end.Peer.IsClosed)
            Raise(end.Peer, EndOf(end.Peer) | Libc.EpollOut);
    }

    private static int Peek(End end, Span<byte> buffer)
    {
        if (end.In.IsEmpty)
            return end.IsReset ? -Libc.Econnreset : end.Peer.IsShut || end.Peer.IsClosed ? 0 : -Libc.Eagain;
        var got = Math.Min(buffer.Length, end.In.Length);
        end.In.Span[..got].CopyTo(buffer);
        return got;
    }

    private static uint EndOf(End end) =>
        (end.Peer.IsShut || end.Peer.IsClosed ? Libc.EpollIn | Libc.EpollRdHup : 0)
        | (end.Peer.IsClosed || (end.IsShut && end.Peer.IsShut) ? Libc.EpollHup : 0)
        | (end.IsReset ? Libc.EpollErr : 0);

    private void Raise(End end, uint events)
    {
        end.Events |= events & end.Watched;
        if (end.Events == 0 || end.IsReady)
            return;
        end.IsReady = true;
        _ready.Enqueue(end);
    }

    private int Add(End end)
    {
        if (_free.TryPop(out var place))
        {
            _ends[place] = end;
            return First + place;
        }

        _ends.Add(end);
        return First + _ends.Count - 1;
    }

    private End Of(int fd) => _ends[fd - First] ?? throw new InvalidOperationException("an end of a pair that is closed");

    private sealed class End(BufferPool buffers)
    {
        public ByteQueue In { get; } = new(buffers);

        public End Peer { get; set; } = null!;

        public ulong Number { get; set; }

        public uint Watched { get; set; }

        public uint Events { get; set; }

        public bool IsReady { get; set; }

        /// <summary>Its own writing has ended.</summary>
        public bool IsShut { get; set; }

        public bool IsClosed { get; set; }

        public bool IsReset { get; set; }

        /// <summary>It could not write all that it wanted to.</summary>
        public bool IsStarved { get; set; }
    }
}
