using System.Buffers.Binary;
using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Hpack;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>
/// What the two sides of HTTP/2 have in common (RFC 9113): frames, settings, windows, turns, limits, the end. The other parts: `Receive`, `Send`, `Time`.
/// A stream object is given back at the start of the next event, so whoever is on the call stack finds it as it was.
/// </summary>
internal abstract partial class Http2Connection : IProtocol
{
    // RFC 9113 section 6.9.2.
    private const int DefaultWindow = 65_535;

    // Of streams that we have reset, so that what was under way is not taken for a fault (section 5.1). As many as may be open, and some.
    private const int RememberedResets = 256;

    private readonly StreamTable _streams = new();
    private readonly ReadyList _ready = new();
    private readonly List<Http2Stream> _ended = [];
    private List<Http2Stream> _resumed = [], _delivering = [];
    private readonly HpackDecoder _decoder = new();
    private readonly ResetMemory _resets = new(RememberedResets);
    private TokenBucket _idleFrames, _resetBudget;
    private long _sendWindow = DefaultWindow;
    private long _initialSendWindow = DefaultWindow;
    private int _receiveWindow, _unreturned;

    protected Http2Connection(ITransport transport, Http2Limits limits, Http2Streams pool)
    {
        (Transport, Limits, Pool) = (transport, limits, pool);
        _receiveWindow = limits.ConnectionWindow;
        _idleFrames = new(limits.IdleFrameBurst, limits.IdleFramesPerSecond, transport.Now);
        _resetBudget = new(limits.ResetBurst, limits.ResetsPerSecond, transport.Now);
    }

    public ITransport Transport { get; }

    public Http2Limits Limits { get; }

    protected Http2Streams Pool { get; }

    protected HpackEncoder Encoder { get; } = new();

    /// <summary>No more frames are read or written.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Why it ended, for the record; NoError: as it should.</summary>
    public ErrorCode Error { get; private set; }

    /// <summary>What broke the protocol or a limit, in words.</summary>
    public string? Fault { get; private set; }

    public int OpenStreams => _streams.Count;

    /// <summary>SETTINGS of the peer have come.</summary>
    public bool HasPeerSettings { get; private set; }

    protected uint PeerMaxStreams { get; private set; } = uint.MaxValue;

    protected bool PeerAllowsConnectProtocol { get; private set; }

    protected bool SettingsAcknowledged { get; private set; }

    protected abstract bool IsServer { get; }

    public void OnEnd()
    {
        // A peer that sends no more cannot open windows either: nothing that is open can come to its end.
        if (!IsClosed)
            Close(ErrorCode.NoError, ResetReason.PeerReset, graceful: true);
    }

    public void OnClosed()
    {
        IsClosed = true;
        EndStreams(LostReason);
        OnConnectionEnd();
    }

    /// <summary>What streams hear when the connection is lost: before it was made, nobody can have seen them.</summary>
    public ResetReason LostReason { get; set; } = ResetReason.PeerReset;

    public void OnWritable()
    {
        Sweep();
        Pump();
    }

    /// <summary>Streams above it were not looked at and will not be.</summary>
    protected abstract int LastPeerStream { get; }

    protected abstract void OnConnectionEnd();

    protected virtual void OnStreamEnd(Http2Stream stream)
    {
    }

    protected virtual void OnPeerSettings()
    {
    }

    protected void SendPreface(ReadOnlySpan<(SettingId Id, uint Value)> settings)
    {
        var output = Transport.Output;
        if (!IsServer)
            output.Write(ConnectionPreface);
        FrameWriter.Settings(output, settings);
        if (Limits.ConnectionWindow > DefaultWindow)
            FrameWriter.WindowUpdate(output, 0, Limits.ConnectionWindow - DefaultWindow);
        StartTimers();
    }

    protected static ReadOnlySpan<byte> ConnectionPreface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    protected void Open(Http2Stream stream, int id)
    {
        stream.Id = id;
        stream.SendWindow = _initialSendWindow;
        stream.Expected = -1;
        stream.ReceiveWindow = Limits.StreamWindow;
        _streams.Add(stream);
        Arm(Transport.Now + Limits.PingAfterMilliseconds);
    }

    protected bool WasReset(int id) => _resets.Contains(id);

    protected Http2Stream? Find(int id) => _streams.Find(id);

    /// <summary>Ends the connection for a fault of the peer (section 5.4.1).</summary>
    protected void Fail(ErrorCode code, string fault)
    {
        if (IsClosed)
            return;
        Fault = fault;
        Close(code, ResetReason.ProtocolError, graceful: true);
    }

    protected void Close(ErrorCode code, ResetReason reason, bool graceful)
    {
        IsClosed = true;
        Error = code;
        if (graceful)
        {
            FrameWriter.GoAway(Transport.Output, LastPeerStream, code);
            Transport.CloseGracefully(peerMaySend: true);
        }
        else
        {
            Transport.Abort();
        }

        EndStreams(reason);
        OnConnectionEnd();
    }

    protected void EndStreams(ResetReason reason, int above = 0)
    {
        while (_streams.AnyAbove(above) is { } stream)
        {
            Remove(stream);
            stream.DeliverReset(reason);
        }
    }

    /// <summary>A fault of the peer within one stream (section 5.4.2).</summary>
    protected void StreamError(Http2Stream stream, ErrorCode code, ResetReason reason = ResetReason.ProtocolError)
    {
        SendReset(stream.Id, code);
        Remove(stream);
        stream.DeliverReset(reason);
    }

    /// <summary>Of a stream that is not there, or no longer. Counts as a reset by the peer's fault.</summary>
    protected void SendReset(int id, ErrorCode code, bool counts = true)
    {
        _resets.Add(id);
        FrameWriter.RstStream(Transport.Output, id, code);
        if (counts)
            CountReset();
    }

    protected void CountReset()
    {
        if (!_resetBudget.Take(1, Transport.Now))
            Fail(ErrorCode.EnhanceYourCalm, "too many streams reset");
    }

    internal void ResetByOwner(Http2Stream stream, ResetReason reason)
    {
        if (stream.IsClosed)
            return;
        stream.Forget();
        if (stream.Id != 0)
        {
            _resets.Add(stream.Id);
            FrameWriter.RstStream(Transport.Output, stream.Id, CodeOf(reason));
        }

        Remove(stream);
    }

    protected abstract ErrorCode CodeOf(ResetReason reason);

    /// <summary>The stream is over: nothing of it is read or written any more.</summary>
    protected void Remove(Http2Stream stream)
    {
        if (stream.IsClosed)
            return;
        stream.IsClosed = true;
        _ready.Remove(stream);
        if (stream.Id != 0)
            _streams.Remove(stream);
        if (!stream.ReceiveQueue.IsEmpty)
        {
            ReturnWindow(null, stream.ReceiveQueue.Length);
            stream.ReceiveQueue.Clear();
        }

        stream.SendQueue.Clear();
        _ended.Add(stream);
        OnStreamEnd(stream);
        if (_streams.Count == 0)
            OnNoStreams();
    }

    /// <summary>What ended in the last event.</summary>
    private void Sweep()
    {
        foreach (var stream in _ended)
        {
            OnSwept(stream);
            // A tunnel's owner may hold on to it when the peer has ended both directions: what it sends still must meet a closed stream, not another request's.
            if (stream.LocalEnded && stream.RemoteEnded && stream.EndDelivered && !stream.HasOwner && !stream.IsTunnel)
                Pool.Return(stream);
        }

        _ended.Clear();
    }

    protected virtual void OnSwept(Http2Stream stream)
    {
    }

    private void OnSettings(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId != 0)
        {
            Fail(ErrorCode.ProtocolError, "SETTINGS on a stream");
            return;
        }

        if (header.Has(FrameFlags.Ack))
        {
            if (!payload.IsEmpty)
                Fail(ErrorCode.FrameSizeError, "SETTINGS acknowledgement with a payload");
            SettingsWereAcknowledged();
            return;
        }

        if (payload.Length % 6 != 0)
        {
            Fail(ErrorCode.FrameSizeError, "SETTINGS of a broken length");
            return;
        }

        var window = _initialSendWindow;
        for (; !payload.IsEmpty && !IsClosed; payload = payload[6..])
            OnSetting((SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt32BigEndian(payload[2..]), ref window);
        if (IsClosed)
            return;
        // Once for the frame, so that a frame of 2,730 settings is not so many walks through all streams.
        var difference = window - _initialSendWindow;
        _initialSendWindow = window;
        if (difference != 0 && !_streams.ShiftSendWindows(difference))
        {
            Fail(ErrorCode.FlowControlError, "a window beyond 2^31-1 by SETTINGS");
            return;
        }

        FrameWriter.SettingsAck(Transport.Output);
        HasPeerSettings = true;
        OnPeerSettings();
    }

    private void OnSetting(SettingId id, uint value, ref long window)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                Encoder.SetLimit(value);
                break;
            case SettingId.EnablePush when value > 1 || (value == 1 && !IsServer):
                Fail(ErrorCode.ProtocolError, "SETTINGS_ENABLE_PUSH");
                break;
            case SettingId.MaxConcurrentStreams:
                PeerMaxStreams = value;
                break;
            case SettingId.InitialWindowSize when value > int.MaxValue:
                Fail(ErrorCode.FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE");
                break;
            case SettingId.InitialWindowSize:
                window = value;
                break;
            case SettingId.MaxFrameSize when value is < FrameHeader.DefaultMaxLength or > FrameHeader.LargestMaxLength:
                Fail(ErrorCode.ProtocolError, "SETTINGS_MAX_FRAME_SIZE");
                break;
            case SettingId.EnableConnectProtocol when value > 1 || (value == 0 && PeerAllowsConnectProtocol):
                Fail(ErrorCode.ProtocolError, "SETTINGS_ENABLE_CONNECT_PROTOCOL");
                break;
            case SettingId.EnableConnectProtocol:
                PeerAllowsConnectProtocol = value == 1;
                break;
        }
    }
}
