using System.Buffers.Binary;
using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Hpack;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

internal abstract partial class Http2Connection
{
    /// <summary>What one connection does in a row; then the others have their turn. A header block costs about as much as sixteen other frames.</summary>
    internal const int WorkPerTurn = 512, WorkOfBlock = 16;

    private ByteQueue? _block;      // pieces of a header block that is not whole
    private FrameHeader _blockHead; // of the HEADERS frame that began it
    private int _continuations;
    private bool _prefaceRead;
    private bool _settingsRead;

    /// <summary>Frames that are whole. What the protocol leaves comes again with more.</summary>
    public int OnData(ReadOnlySpan<byte> data)
    {
        if (IsClosed)
            return data.Length;
        Sweep();
        DeliverResumed();
        var consumed = ReadPreface(data);
        var work = 0;
        var yields = false;
        while (!IsClosed && _prefaceRead)
        {
            var rest = data[consumed..];
            if (rest.Length < FrameHeader.Size)
                break;
            var header = FrameHeader.Read(rest);
            if (header.Length > FrameHeader.DefaultMaxLength)
            {
                Fail(ErrorCode.FrameSizeError, "a frame above SETTINGS_MAX_FRAME_SIZE");
                break;
            }

            if (rest.Length < FrameHeader.Size + header.Length)
                break;
            yields = work >= WorkPerTurn;
            if (yields)
            {
                Transport.Yield();
                break;
            }

            work += header.Type is FrameType.Headers or FrameType.Continuation ? WorkOfBlock : 1;
            consumed += FrameHeader.Size + header.Length;
            OnFrame(header, rest.Slice(FrameHeader.Size, header.Length));
        }

        if (IsClosed)
            return data.Length;
        if (!data.IsEmpty)
            OnProgress(consumed, partial: (consumed < data.Length && !yields) || _block is { IsEmpty: false } || _blockHead.StreamId != 0);
        Pump();
        return IsClosed ? data.Length : consumed;
    }

    private int ReadPreface(ReadOnlySpan<byte> data)
    {
        if (_prefaceRead)
            return 0;
        if (!IsServer)
        {
            _prefaceRead = true;
            return 0;
        }

        var length = Math.Min(data.Length, ConnectionPreface.Length);
        if (!ConnectionPreface.StartsWith(data[..length]))
        {
            Fail(ErrorCode.ProtocolError, "no connection preface");
            return 0;
        }

        _prefaceRead = length == ConnectionPreface.Length;
        return _prefaceRead ? length : 0;
    }

    private void OnFrame(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        // Section 6.10: nothing stands between the pieces of a block.
        if (_blockHead.StreamId != 0 && (header.Type != FrameType.Continuation || header.StreamId != _blockHead.StreamId))
        {
            Fail(ErrorCode.ProtocolError, "a frame within a header block");
            return;
        }

        if (!_settingsRead)
        {
            // Section 3.4: the preface of both sides ends with SETTINGS.
            if (header.Type != FrameType.Settings || header.Has(FrameFlags.Ack))
            {
                Fail(ErrorCode.ProtocolError, "the first frame is not SETTINGS");
                return;
            }

            _settingsRead = true;
        }

        switch (header.Type)
        {
            case FrameType.Data:
                OnDataFrame(header, payload);
                break;
            case FrameType.Headers:
                OnHeaders(header, payload);
                break;
            case FrameType.Continuation:
                OnContinuation(header, payload);
                break;
            case FrameType.RstStream:
                OnRstStream(header, payload);
                break;
            case FrameType.WindowUpdate:
                OnWindowUpdate(header, payload);
                break;
            case FrameType.PushPromise:
                // Section 8.4: a client never pushes, and a server was told not to.
                Fail(ErrorCode.ProtocolError, "PUSH_PROMISE");
                break;
            case FrameType.Settings when Idle(10): // up to 2,730 settings in one
                OnSettings(header, payload);
                break;
            case FrameType.Ping when Idle(1):
                OnPing(header, payload);
                break;
            case FrameType.GoAway when Idle(1):
                OnGoAwayFrame(header, payload);
                break;
            case FrameType.Priority when Idle(1):
                OnPriority(header, payload);
                break;
            case > FrameType.Continuation:
                Idle(1); // section 5.5: of an extension that was not agreed on
                break;
        }
    }

    /// <summary>Counts frames that bring nobody anything; false: the connection has ended for it.</summary>
    private bool Idle(int cost)
    {
        if (!_idleFrames.Take(cost, Transport.Now))
            Fail(ErrorCode.EnhanceYourCalm, "too many frames that do nothing");
        else if (Transport.Output.Length > Limits.MaxUnreadOutput)
            Fail(ErrorCode.EnhanceYourCalm, "answers are not read");
        return !IsClosed;
    }

    private void OnDataFrame(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0)
        {
            Fail(ErrorCode.ProtocolError, "DATA on stream 0");
            return;
        }

        // Section 6.9.1: all of the payload counts, padding too, and whatever becomes of it.
        _receiveWindow -= payload.Length;
        if (_receiveWindow < 0)
        {
            Fail(ErrorCode.FlowControlError, "more than the connection's window");
            return;
        }

        var length = payload.Length;
        if (!Unpad(header, ref payload))
            return;
        var stream = _streams.Find(header.StreamId);
        if (stream is null || stream.RemoteEnded)
        {
            OnDataForNobody(header.StreamId, stream, length);
            return;
        }

        stream.ReceiveWindow -= length;
        if (stream.ReceiveWindow < 0)
        {
            ReturnWindow(null, length);
            StreamError(stream, ErrorCode.FlowControlError);
            return;
        }

        if (!MayHaveData(stream, payload.Length))
        {
            ReturnWindow(null, length);
            StreamError(stream, ErrorCode.ProtocolError);
            return;
        }

        var end = header.Has(FrameFlags.EndStream);
        if (payload.IsEmpty && !end && !Idle(1))
            return;
        if (stream.Expected >= 0)
        {
            stream.Expected -= payload.Length;
            if (stream.Expected < 0 || (end && stream.Expected > 0))
            {
                // Section 8.1.1: not the length that was announced.
                ReturnWindow(null, length);
                StreamError(stream, ErrorCode.ProtocolError);
                return;
            }
        }

        if (length > payload.Length)
            ReturnWindow(stream, length - payload.Length);
        stream.RemoteEnded = end;
        Take(stream, payload, end);
    }

    private void OnDataForNobody(int id, Http2Stream? stream, int length)
    {
        if (stream is null && IsUnused(id))
        {
            Fail(ErrorCode.ProtocolError, "DATA on an idle stream");
            return;
        }

        ReturnWindow(null, length);
        if (stream is not null)
            StreamError(stream, ErrorCode.StreamClosed);
        else if (!_resets.Contains(id) && !IsBeyondGoAway(id))
            SendReset(id, ErrorCode.StreamClosed);
        else if (length == 0)
            Idle(1);
    }

    private void Take(Http2Stream stream, ReadOnlySpan<byte> data, bool end)
    {
        if (!stream.HasOwner)
        {
            ReturnWindow(stream, data.Length);
            if (end)
                OnRemoteEnd(stream);
            return;
        }

        if (stream.HoldsData || !stream.ReceiveQueue.IsEmpty || stream.IsResumed)
        {
            if (!data.IsEmpty)
                stream.ReceiveQueue.Write(data);
            return;
        }

        if (data.IsEmpty && !end)
            return;
        if (end)
            stream.EndDelivered = true;
        stream.DeliverData(data, end);
        if (!stream.IsClosed)
            ReturnWindow(stream, data.Length);
        else
            ReturnWindow(null, data.Length);
        if (end)
            OnRemoteEnd(stream);
    }

    internal void DeliverLater(Http2Stream stream)
    {
        if (stream.IsResumed)
            return;
        stream.IsResumed = true;
        _resumed.Add(stream);
        Transport.CallAgain();
    }

    private void DeliverResumed()
    {
        if (_resumed.Count == 0)
            return;
        (_resumed, _delivering) = (_delivering, _resumed);
        foreach (var stream in _delivering)
        {
            stream.IsResumed = false;
            if (!stream.IsClosed && !stream.HoldsData)
                DeliverKept(stream);
        }

        _delivering.Clear();
    }

    private void DeliverKept(Http2Stream stream)
    {
        if (stream.EndDelivered || !stream.HasOwner)
            return;
        var end = stream.RemoteEnded && !stream.HasReceivedTrailers;
        var length = stream.ReceiveQueue.Length;
        if (length > 0 || end)
        {
            stream.EndDelivered = end;
            stream.DeliverData(stream.ReceiveQueue.Span, end);
            if (!stream.IsClosed)
            {
                stream.ReceiveQueue.Consume(length);
                ReturnWindow(stream, length);
            }
        }

        if (stream.IsClosed)
            return;
        if (stream.HasReceivedTrailers && !stream.HoldsData && stream.HasOwner)
        {
            stream.HasReceivedTrailers = false;
            stream.EndDelivered = true;
            stream.DeliverTrailers(stream.ReceivedTrailers!);
        }

        if (stream.EndDelivered)
            OnRemoteEnd(stream);
    }

    /// <summary>Trailers that have been read, or the end by HEADERS alone.</summary>
    protected void TakeTrailers(Http2Stream stream, HeaderList trailers)
    {
        stream.RemoteEnded = true;
        if (!stream.HasOwner)
        {
            OnRemoteEnd(stream);
            return;
        }

        stream.HasReceivedTrailers = true;
        if (!stream.HoldsData && stream.ReceiveQueue.IsEmpty && !stream.IsResumed)
            DeliverKept(stream);
    }

    private void OnHeaders(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0)
        {
            Fail(ErrorCode.ProtocolError, "HEADERS on stream 0");
            return;
        }

        if (!Unpad(header, ref payload))
            return;
        if (header.Has(FrameFlags.Priority))
        {
            // Section 5.3.2: said by old clients, without meaning now.
            if (payload.Length < 5)
            {
                Fail(ErrorCode.FrameSizeError, "HEADERS without its priority");
                return;
            }

            payload = payload[5..];
        }

        if (header.Has(FrameFlags.EndHeaders))
        {
            OnBlock(header.StreamId, payload, header.Has(FrameFlags.EndStream));
            return;
        }

        _blockHead = header;
        _continuations = 0;
        _block ??= new(Pool.Buffers);
        _block.Write(payload);
    }

    private void OnContinuation(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_blockHead.StreamId == 0)
        {
            Fail(ErrorCode.ProtocolError, "CONTINUATION without HEADERS");
            return;
        }

        // Before a byte of it is decoded (CVE-2024-27316).
        if (++_continuations > Limits.MaxContinuations || _block!.Length + payload.Length > Limits.MaxHeaderBlock)
        {
            Fail(ErrorCode.EnhanceYourCalm, "a header block without end");
            return;
        }

        _block.Write(payload);
        if (!header.Has(FrameFlags.EndHeaders))
            return;
        var head = _blockHead;
        _blockHead = default;
        OnBlock(head.StreamId, _block.Span, head.Has(FrameFlags.EndStream));
        _block.Clear();
    }

    /// <summary>A whole header block, of whatever message.</summary>
    protected abstract void OnBlock(int id, ReadOnlySpan<byte> block, bool end);

    /// <summary>False: the connection has ended. The block is decoded in any case, for the table's sake.</summary>
    protected bool Decode(ReadOnlySpan<byte> block, FieldSink sink)
    {
        var result = _decoder.Decode(block, sink, (long)Limits.MaxHeaderListSize * Limits.HeaderBombFactor);
        if (result == DecodeResult.Corrupt)
            Fail(ErrorCode.CompressionError, "a header block that cannot be decoded");
        else if (result == DecodeResult.TooMuch)
            Fail(ErrorCode.EnhanceYourCalm, "a header block that never ends when it is decoded");
        return !IsClosed;
    }

    private bool Unpad(FrameHeader header, ref ReadOnlySpan<byte> payload)
    {
        if (!header.Has(FrameFlags.Padded))
            return true;
        if (payload.IsEmpty || payload[0] >= payload.Length)
        {
            Fail(payload.IsEmpty ? ErrorCode.FrameSizeError : ErrorCode.ProtocolError, "padding longer than its frame");
            return false;
        }

        payload = payload[1..^payload[0]];
        return true;
    }

    private void OnRstStream(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0 || IsUnused(header.StreamId))
        {
            Fail(ErrorCode.ProtocolError, "RST_STREAM on stream 0 or an idle one");
            return;
        }

        if (payload.Length != 4)
        {
            Fail(ErrorCode.FrameSizeError, "RST_STREAM");
            return;
        }

        if (_streams.Find(header.StreamId) is not { } stream)
        {
            Idle(1);
            return;
        }

        CountReset();
        if (IsClosed)
            return;
        OnPeerReset(stream, (ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload));
    }

    protected abstract void OnPeerReset(Http2Stream stream, ErrorCode code);

    private void OnWindowUpdate(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 4)
        {
            Fail(ErrorCode.FrameSizeError, "WINDOW_UPDATE");
            return;
        }

        if (!Idle(1))
            return;
        var increment = BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue;
        if (header.StreamId == 0)
        {
            _sendWindow += increment;
            if (increment == 0 || _sendWindow > int.MaxValue)
                Fail(increment == 0 ? ErrorCode.ProtocolError : ErrorCode.FlowControlError, "WINDOW_UPDATE of the connection");
            return;
        }

        if (_streams.Find(header.StreamId) is not { } stream)
        {
            if (IsUnused(header.StreamId))
                Fail(ErrorCode.ProtocolError, "WINDOW_UPDATE on an idle stream");
            return;
        }

        stream.SendWindow += increment;
        if (increment == 0 || stream.SendWindow > int.MaxValue)
            StreamError(stream, increment == 0 ? ErrorCode.ProtocolError : ErrorCode.FlowControlError);
        else
            MakeReady(stream);
    }

    private void OnPriority(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0)
            Fail(ErrorCode.ProtocolError, "PRIORITY on stream 0");
        else if (payload.Length == 5)
            return;
        else if (_streams.Find(header.StreamId) is { } stream)
            StreamError(stream, ErrorCode.FrameSizeError);
        else if (IsUnused(header.StreamId))
            Fail(ErrorCode.FrameSizeError, "PRIORITY of an idle stream, which cannot be reset");
        else
            SendReset(header.StreamId, ErrorCode.FrameSizeError);
    }

    private void OnPing(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId != 0)
            Fail(ErrorCode.ProtocolError, "PING on a stream");
        else if (payload.Length != 8)
            Fail(ErrorCode.FrameSizeError, "PING");
        else if (header.Has(FrameFlags.Ack))
            OnPingAnswered(payload);
        else
            FrameWriter.Ping(Transport.Output, payload, ack: true);
    }

    private void OnGoAwayFrame(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId != 0)
            Fail(ErrorCode.ProtocolError, "GOAWAY on a stream");
        else if (payload.Length < 8)
            Fail(ErrorCode.FrameSizeError, "GOAWAY");
        else
            OnGoAway((int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue));
    }

    protected abstract void OnGoAway(int lastStream);

    /// <summary>No stream of this number has been opened yet (section 5.1.1: idle).</summary>
    protected abstract bool IsUnused(int id);

    /// <summary>Of streams that a GOAWAY of ours has said to be ignored.</summary>
    protected virtual bool IsBeyondGoAway(int id) => false;

    /// <summary>Whether the message can have a body at all, or has come so far.</summary>
    protected abstract bool MayHaveData(Http2Stream stream, int length);

    /// <summary>The peer's direction has ended and its owner has heard it.</summary>
    protected abstract void OnRemoteEnd(Http2Stream stream);
}
