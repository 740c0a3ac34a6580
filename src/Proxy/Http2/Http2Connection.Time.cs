using System.Buffers.Binary;
using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;

namespace Weft.Proxy.Http2;

/// <summary>Everything that happens because time passes, and the graceful end. One timer of the transport stands for all: it is set for the earliest and asks anew then.</summary>
internal abstract partial class Http2Connection
{
    // Of our own PINGs, so that an answer is told from another's.
    private const ulong KeepAlivePing = 0x5765667470696E67, DrainPing = 0x5765667464726169;

    private long _armed = long.MaxValue;
    private long _started, _partialSince = long.MaxValue, _lastReceived, _idleSince, _pingSent = long.MaxValue;
    private long _drainSince = long.MaxValue, _drainWanted = long.MaxValue, _drainedSince = long.MaxValue;

    /// <summary>No new streams: a GOAWAY was sent or has come.</summary>
    public bool IsDraining { get; protected set; }

    public void OnTimeout()
    {
        _armed = long.MaxValue;
        if (IsClosed)
            return;
        var now = Transport.Now;
        if (now >= Later(_partialSince, Limits.FrameMilliseconds) || (!_settingsRead && now >= _started + Limits.FrameMilliseconds))
            Fail(ErrorCode.EnhanceYourCalm, "a frame or preface that is not sent to its end");
        else if (!SettingsAcknowledged && now >= _started + Limits.FrameMilliseconds)
            Fail(ErrorCode.SettingsTimeout, "SETTINGS not acknowledged");
        else if (now >= Later(_pingSent, Limits.PingMilliseconds))
            Close(ErrorCode.NoError, ResetReason.PeerReset, graceful: false);
        else if (OpenStreams == 0 && now >= _idleSince + Limits.IdleMilliseconds)
            Close(ErrorCode.NoError, ResetReason.Cancelled, graceful: true);
        else
            OnTime(now);
        if (!IsClosed)
            Arm(Earliest());
    }

    /// <summary>
    /// Ends the connection without cutting a stream (section 6.8): a first GOAWAY says only that the end is near, a PING finds out when the peer has heard it, and
    /// the second one names the last stream that is served.
    /// </summary>
    public void Drain()
    {
        if (IsClosed || IsDraining)
            return;
        if (IsServer && (!SettingsAcknowledged || LastPeerStream == 0) && Transport.Now < Later(_drainWanted, Limits.DrainMilliseconds))
        {
            // A client that is still setting the connection up takes a GOAWAY for a failure of that (.NET's does, up to its first request): it is told with its first request,
            // or a while later if none comes.
            if (_drainWanted == long.MaxValue)
            {
                _drainWanted = Transport.Now;
                Arm(_drainWanted + Limits.DrainMilliseconds);
            }

            return;
        }

        _drainWanted = long.MaxValue;
        IsDraining = true;
        if (!IsServer)
        {
            if (OpenStreams == 0)
                Close(ErrorCode.NoError, ResetReason.Cancelled, graceful: true);
            return;
        }

        var output = Transport.Output;
        FrameWriter.GoAway(output, int.MaxValue, ErrorCode.NoError);
        SendPing(DrainPing);
        _drainSince = Transport.Now;
        Arm(_drainSince + Limits.DrainMilliseconds);
    }

    /// <summary>What the end waited for may have come.</summary>
    protected void DrainIfWanted()
    {
        if (_drainWanted != long.MaxValue)
            Drain();
    }

    private void SettingsWereAcknowledged()
    {
        SettingsAcknowledged = true;
        DrainIfWanted();
    }

    /// <summary>The second GOAWAY.</summary>
    protected virtual void FinishDrain() => _drainSince = long.MaxValue;

    private void StartTimers()
    {
        _started = _lastReceived = _idleSince = Transport.Now;
        Arm(_started + Limits.FrameMilliseconds);
    }

    private void OnTime(long now)
    {
        if (now >= Later(_drainWanted, Limits.DrainMilliseconds))
            Drain();
        if (now >= Later(_drainSince, Limits.DrainMilliseconds))
            FinishDrain();
        if (!IsClosed && now >= Later(_drainedSince, Limits.DrainMilliseconds))
            Close(ErrorCode.NoError, ResetReason.Cancelled, graceful: true);
        if (!IsClosed && OpenStreams > 0 && _pingSent == long.MaxValue && now >= _lastReceived + Limits.PingAfterMilliseconds)
        {
            SendPing(KeepAlivePing);
            _pingSent = now;
        }
    }

    private void OnProgress(int consumed, bool partial)
    {
        var now = Transport.Now;
        _lastReceived = now;
        _pingSent = long.MaxValue; // whatever came, the peer is there
        if (!partial)
        {
            _partialSince = long.MaxValue;
        }
        else if (_partialSince == long.MaxValue || (consumed > 0 && _blockHead.StreamId == 0))
        {
            _partialSince = now;
            Arm(now + Limits.FrameMilliseconds);
        }
    }

    private void OnNoStreams()
    {
        _idleSince = Transport.Now;
        if (!IsDraining || IsClosed || _drainSince != long.MaxValue || !MayEndDrained)
            return;
        if (IsServer)
        {
            // The client closes when it has what it waits for. One that finds the connection closed before it has sent the whole of a request may take the answer to that for lost
            // (.NET's does); Go's server waits so long, too.
            _drainedSince = _idleSince;
            Arm(_drainedSince + Limits.DrainMilliseconds);
        }
        else
        {
            Close(ErrorCode.NoError, ResetReason.Cancelled, graceful: true);
        }
    }

    protected virtual bool MayEndDrained => true;

    protected void EndIfDrained()
    {
        if (OpenStreams == 0)
            OnNoStreams();
    }

    private void OnPingAnswered(ReadOnlySpan<byte> payload)
    {
        if (_drainSince != long.MaxValue && BinaryPrimitives.ReadUInt64BigEndian(payload) == DrainPing)
            FinishDrain();
    }

    private void SendPing(ulong opaque)
    {
        Span<byte> payload = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(payload, opaque);
        FrameWriter.Ping(Transport.Output, payload, ack: false);
    }

    private long Earliest()
    {
        var earliest = Math.Min(Later(_partialSince, Limits.FrameMilliseconds), Math.Min(Later(_drainSince, Limits.DrainMilliseconds), Later(_drainWanted, Limits.DrainMilliseconds)));
        earliest = Math.Min(earliest, Later(_drainedSince, Limits.DrainMilliseconds));
        if (!SettingsAcknowledged) // which comes after its SETTINGS
            earliest = Math.Min(earliest, _started + Limits.FrameMilliseconds);
        if (OpenStreams == 0)
            return Math.Min(earliest, _idleSince + Limits.IdleMilliseconds);
        return Math.Min(earliest, _pingSent == long.MaxValue ? _lastReceived + Limits.PingAfterMilliseconds : _pingSent + Limits.PingMilliseconds);
    }

    private void Arm(long at)
    {
        if (at >= _armed)
            return;
        _armed = at;
        Transport.SetTimeout(at);
    }

    private static long Later(long since, long by) => since == long.MaxValue ? long.MaxValue : since + by;
}
