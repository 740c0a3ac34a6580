using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>
/// One stream, from the frames' side: windows, what waits in either direction, how far each direction has come. Used again after a clean end; one that was
/// reset is left to the collector, so that a late call of its owner meets nothing but a closed stream.
/// </summary>
internal abstract class Http2Stream(BufferPool buffers)
{
    public Http2Connection Connection { get; protected set; } = null!;

    public int Id { get; set; }

    /// <summary>What we may send (RFC 9113 section 6.9); below 0 after a setting that took some back.</summary>
    public long SendWindow { get; set; }

    /// <summary>What the peer may still send, and what of the rest has been passed on but not yet told.</summary>
    public int ReceiveWindow { get; set; }

    public int Unreturned { get; set; }

    /// <summary>Of the announced body, bytes that have not come yet; -1: nobody knows.</summary>
    public long Expected { get; set; }

    /// <summary>Not yet sent, in order: data, then trailers or the end.</summary>
    public ByteQueue SendQueue { get; } = new(buffers);

    public HeaderList? SendTrailers { get; private set; }

    public bool HasTrailers { get; private set; }

    /// <summary>Came while the owner had paused.</summary>
    public ByteQueue ReceiveQueue { get; } = new(buffers);

    public HeaderList? ReceivedTrailers { get; private set; }

    public bool HasReceivedTrailers { get; set; }

    /// <summary>The owner has said the end; <see cref="LocalEnded"/>: it is in a frame.</summary>
    public bool EndQueued { get; set; }

    public bool LocalEnded { get; set; }

    /// <summary>END_STREAM has come; <see cref="EndDelivered"/>: the owner has heard it.</summary>
    public bool RemoteEnded { get; set; }

    public bool EndDelivered { get; set; }

    public bool IsClosed { get; set; }

    public bool IsPaused { get; private set; }

    /// <summary>The owner has been shown <see cref="IsBlocked"/> and waits to hear that it may go on.</summary>
    public bool IsStalled { get; set; }

    /// <summary>Both directions carry bytes of some other protocol: one may end long before the other.</summary>
    public bool IsTunnel { get; set; }

    /// <summary>The stream must wait for something before data can be sent (the peer's SETTINGS).</summary>
    public bool IsHeld { get; set; }

    public Http2Stream? NextInTable { get; set; }

    public Http2Stream? ReadyBefore { get; set; }

    public Http2Stream? ReadyAfter { get; set; }

    public bool IsReady { get; set; }

    public bool IsResumed { get; set; }

    public bool IsBlocked => !IsClosed && SendQueue.Length > Connection.Limits.SendWatermark;

    public void SendData(ReadOnlySpan<byte> data, bool end) => Connection.SendData(this, data, end);

    public void SendTrailersNow(HeaderList trailers) => Connection.SendTrailers(this, trailers);

    public void Pause() => IsPaused = true;

    public void Resume()
    {
        if (!IsPaused)
            return;
        IsPaused = false;
        if (!IsClosed && !EndDelivered)
            Connection.DeliverLater(this);
    }

    public void KeepTrailers(HeaderList trailers)
    {
        HasTrailers = true;
        SendTrailers ??= new();
        SendTrailers.Clear();
        trailers.CopyTo(SendTrailers);
    }

    /// <summary>Empty, for trailers that are being read.</summary>
    public HeaderList RentTrailers()
    {
        ReceivedTrailers ??= new();
        ReceivedTrailers.Clear();
        return ReceivedTrailers;
    }

    /// <summary>False: the owner has ended its part and hears no more.</summary>
    public abstract bool HasOwner { get; }

    /// <summary>What comes is kept for later.</summary>
    public virtual bool HoldsData => IsPaused;

    public abstract void DeliverData(ReadOnlySpan<byte> data, bool end);

    public abstract void DeliverTrailers(HeaderList trailers);

    public abstract void DeliverWritable();

    /// <summary>Called once for a stream that is closed already.</summary>
    public abstract void DeliverReset(ResetReason reason);

    /// <summary>Nobody is called any more.</summary>
    public abstract void Forget();

    /// <summary>For the next use.</summary>
    public virtual void Clear()
    {
        (Id, SendWindow, ReceiveWindow, Unreturned, Expected) = (0, 0, 0, 0, -1);
        HasTrailers = HasReceivedTrailers = EndQueued = LocalEnded = RemoteEnded = EndDelivered = IsClosed = IsPaused = IsStalled = IsTunnel = IsHeld = IsResumed = false;
        SendQueue.Clear();
        ReceiveQueue.Clear();
    }
}
