using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Heads;

namespace Weft.Proxy.Http2;

internal abstract partial class Http2Connection
{
    private long _sentBytes;

    internal void SendData(Http2Stream stream, ReadOnlySpan<byte> data, bool end)
    {
        if (stream.IsClosed || stream.EndQueued)
            return;
        stream.EndQueued = end;
        // As long as nobody waits, data goes past the queues.
        if (stream.SendQueue.IsEmpty && !stream.IsHeld && (_ready.IsEmpty || data.IsEmpty))
        {
            while (!data.IsEmpty && !Transport.IsBlocked)
            {
                var length = (int)Math.Min(Math.Min(data.Length, FrameHeader.DefaultMaxLength), Math.Min(stream.SendWindow, _sendWindow));
                if (length <= 0)
                    break;
                WriteData(stream, data[..length], end && length == data.Length);
                data = data[length..];
            }

            if (data.IsEmpty)
            {
                CountData();
                if (end && !stream.LocalEnded)
                    WriteData(stream, default, true);
                if (end)
                    OnLocalEnd(stream);
                return;
            }
        }

        stream.SendQueue.Write(data);
        if (stream.IsBlocked)
            stream.IsStalled = true;
        MakeReady(stream);
        if (end)
            OnEndQueued(stream);
    }

    internal void SendTrailers(Http2Stream stream, HeaderList trailers)
    {
        if (stream.IsClosed || stream.EndQueued)
            return;
        if (trailers.Count == 0 || !trailers.IsClean)
        {
            SendData(stream, default, end: true);
            return;
        }

        stream.EndQueued = true;
        if (stream.SendQueue.IsEmpty && !stream.IsHeld)
        {
            stream.LocalEnded = true;
            HeadWriter.Trailers(Transport.Output, Encoder, stream.Id, trailers, FrameHeader.DefaultMaxLength);
            OnLocalEnd(stream);
            return;
        }

        stream.KeepTrailers(trailers);
        OnEndQueued(stream);
    }

    /// <summary>Gives it its turns if it has something to send and may.</summary>
    internal void MakeReady(Http2Stream stream)
    {
        if (!stream.SendQueue.IsEmpty && stream.SendWindow > 0 && !stream.IsHeld)
            _ready.Append(stream);
    }

    /// <summary>What was held of a stream whose head has now been sent.</summary>
    protected void Release(Http2Stream stream)
    {
        stream.IsHeld = false;
        if (!stream.SendQueue.IsEmpty)
            MakeReady(stream);
        else if (stream.EndQueued && !stream.LocalEnded)
            WriteEnd(stream);
    }

    /// <summary>One frame for each stream in turn, as long as the connection's window and the socket take it.</summary>
    private void Pump()
    {
        while (!IsClosed && !_ready.IsEmpty && _sendWindow > 0 && !Transport.IsBlocked)
        {
            var stream = _ready.First;
            _ready.Remove(stream);
            var waiting = stream.SendQueue;
            var length = (int)Math.Min(Math.Min(waiting.Length, FrameHeader.DefaultMaxLength), Math.Min(stream.SendWindow, _sendWindow));
            if (length <= 0)
                continue; // SETTINGS has taken its window away; WINDOW_UPDATE brings it back
            var last = length == waiting.Length;
            WriteData(stream, waiting.Span[..length], last && stream.EndQueued && !stream.HasTrailers);
            waiting.Consume(length);
            if (last)
                OnSent(stream);
            else
                MakeReady(stream);
            if (stream.IsStalled && !stream.IsClosed && waiting.Length <= Limits.SendWatermark / 2)
            {
                stream.IsStalled = false;
                if (!stream.EndQueued)
                    stream.DeliverWritable();
            }
        }
    }

    // All that waited is in frames.
    private void OnSent(Http2Stream stream)
    {
        CountData();
        if (stream.EndQueued && !stream.LocalEnded)
            WriteEnd(stream);
        else if (stream.LocalEnded)
            OnLocalEnd(stream);
    }

    // Not for pieces that a small window made of it: a peer must not pay for its frames with frames that it forces (CVE-2019-9511).
    private void CountData() => _idleFrames.Grant(Limits.IdleFramesPerDataSent);

    private void WriteEnd(Http2Stream stream)
    {
        if (stream.HasTrailers)
        {
            stream.LocalEnded = true;
            HeadWriter.Trailers(Transport.Output, Encoder, stream.Id, stream.SendTrailers!, FrameHeader.DefaultMaxLength);
        }
        else
        {
            WriteData(stream, default, true);
        }

        OnLocalEnd(stream);
    }

    private void WriteData(Http2Stream stream, ReadOnlySpan<byte> data, bool end)
    {
        FrameWriter.Data(Transport.Output, stream.Id, data, end);
        Transport.Write(default); // it looks at its watermark
        stream.SendWindow -= data.Length;
        _sendWindow -= data.Length;
        stream.LocalEnded = end;
        _sentBytes += data.Length;
        if (_sentBytes >= 1024)
        {
            _idleFrames.Grant((int)(_sentBytes >> 10) * Limits.IdleFramesPerKilobyteSent);
            _sentBytes &= 1023;
        }
    }

    /// <summary>
    /// Bytes have been passed on, so the peer may send as many again. Told when half of a window has come together: one frame for many (section 6.9).
    /// </summary>
    private void ReturnWindow(Http2Stream? stream, int length)
    {
        if (length == 0)
            return;
        _unreturned += length;
        if (_unreturned >= Limits.ConnectionWindow / 2 && !IsClosed)
        {
            FrameWriter.WindowUpdate(Transport.Output, 0, _unreturned);
            _receiveWindow += _unreturned;
            _unreturned = 0;
        }

        if (stream is null || stream.RemoteEnded)
            return;
        stream.Unreturned += length;
        if (stream.Unreturned >= Limits.StreamWindow / 2 && !IsClosed)
        {
            FrameWriter.WindowUpdate(Transport.Output, stream.Id, stream.Unreturned);
            stream.ReceiveWindow += stream.Unreturned;
            stream.Unreturned = 0;
        }
    }

    /// <summary>Allows more of the frames that a message brings with it, and a reset for each that was served.</summary>
    protected void CountMessage()
    {
        _idleFrames.Grant(Limits.IdleFramesPerRequest);
    }

    protected void CountServed() => _resetBudget.Grant(1);

    /// <summary>The owner has ended its direction; data of it may wait still.</summary>
    protected abstract void OnEndQueued(Http2Stream stream);

    /// <summary>The end of our direction is in a frame.</summary>
    internal abstract void OnLocalEnd(Http2Stream stream);
}
