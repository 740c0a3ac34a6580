using System.Net;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>A connection without a socket: what the protocol writes stays here until a test takes it.</summary>
internal sealed class MemoryTransport(BufferPool buffers) : ITransport
{
    private readonly List<byte> _left = [];
    private bool _blocked, _yielded;

    public ByteQueue Output { get; } = new(buffers);

    public IProtocol Protocol { get; set; } = null!;

    public long Now { get; set; } = 1_000_000;

    public long Timeout { get; private set; } = long.MaxValue;

    public bool CallAsked { get; private set; }

    /// <summary>How often the rest was left for another turn.</summary>
    public int Yields { get; private set; }

    public bool IsClosed { get; private set; }

    public bool IsAborted { get; private set; }

    public bool IsPaused { get; private set; }

    public int High { get; init; } = 64 << 10;

    public bool IsBlocked => _blocked;

    public IPEndPoint? Peer => null;

    public void Write(ReadOnlySpan<byte> data)
    {
        Output.Write(data);
        _blocked |= Output.Length > High;
    }

    /// <summary>As the bytes come from the socket: what the protocol leaves is kept for the next time.</summary>
    public void Feed(ReadOnlySpan<byte> data)
    {
        if (IsClosed)
            return;
        if (_left.Count == 0)
        {
            var consumed = Protocol.OnData(data);
            _left.AddRange(data[consumed..]);
        }
        else
        {
            _left.AddRange(data);
            var consumed = Protocol.OnData(_left.ToArray());
            _left.RemoveRange(0, consumed);
        }

        Settle();
    }

    /// <summary>What was asked for after the event.</summary>
    public void Settle()
    {
        while ((CallAsked || _yielded) && !IsClosed)
        {
            (CallAsked, _yielded) = (false, false);
            _left.RemoveRange(0, Protocol.OnData(_left.ToArray()));
        }
    }

    /// <summary>The socket takes so many bytes.</summary>
    public void Sent(int count)
    {
        Output.Consume(count);
        if (!_blocked || Output.Length > High / 2)
            return;
        _blocked = false;
        if (!IsClosed)
            Protocol.OnWritable();
    }

    public byte[] TakeOutput()
    {
        var bytes = Output.Span.ToArray();
        if (bytes.Length > 0)
            Sent(bytes.Length);
        return bytes;
    }

    public void RunTo(long now)
    {
        while (Timeout <= now && !IsClosed)
        {
            Now = Math.Max(Now, Timeout);
            Timeout = long.MaxValue;
            Protocol.OnTimeout();
        }

        Now = now;
    }

    public void PauseReading() => IsPaused = true;

    public void ResumeReading() => IsPaused = false;

    public void OfferAgain() => CallAsked = true;

    public void Yield()
    {
        _yielded = true;
        Yields++;
    }

    public void CallAgain() => CallAsked = true;

    public void SetTimeout(long at) => Timeout = at;

    public void ShutdownWriting()
    {
    }

    public void CloseGracefully(bool peerMaySend) => IsClosed = true;

    public void Abort() => (IsClosed, IsAborted) = (true, true);
}
