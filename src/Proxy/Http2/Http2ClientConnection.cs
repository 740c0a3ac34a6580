using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Heads;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>Who keeps client connections and gives requests to them.</summary>
internal interface IHttp2Pool
{
    /// <summary><see cref="Http2ClientConnection.CanOpen"/> may have become true.</summary>
    void OnCapacity(Http2ClientConnection connection);

    /// <summary>It takes no more requests: it is being closed, or is gone. What is open goes on to its end. Called once.</summary>
    void OnDone(Http2ClientConnection connection);
}

/// <summary>The client's side of HTTP/2: many requests to one endpoint at a time.</summary>
internal sealed class Http2ClientConnection : Http2Connection
{
    // Before its SETTINGS a server may take any number; what most allow.
    private const int AssumedMaxStreams = 100;

    private readonly IHttp2Pool _owner;
    private readonly ResponseHead _head = new();
    private readonly ResponseReader _response;
    private readonly TrailerReader _trailers;
    private readonly NoReader _nobody = new();
    private readonly List<Http2ClientStream> _waiting = [];
    private int _nextStream = 1;
    private int _taken;
    private bool _done;

    public Http2ClientConnection(ITransport transport, IHttp2Pool owner, Http2Limits limits, Http2Streams pool)
        : base(transport, limits, pool)
    {
        _owner = owner;
        (_response, _trailers) = (new(limits), new(limits));
    }

    protected override bool IsServer => false;

    // We take no pushes.
    protected override int LastPeerStream => 0;

    /// <summary>On TLS.</summary>
    public bool IsSecure { get; init; }

    /// <summary>Requests that hold a place.</summary>
    public int Taken => _taken;

    /// <summary>That were sent on it.</summary>
    public int Requests => _nextStream / 2;

    /// <summary>Milliseconds of the loop's clock.</summary>
    public long OpenedAt { get; init; }

    public bool CanOpen => !IsClosed && !IsDraining && _taken < Math.Min(Limits.MaxConcurrentStreams, HasPeerSettings ? PeerMaxStreams : AssumedMaxStreams) && _nextStream < int.MaxValue - (2 * Limits.MaxConcurrentStreams);

    /// <summary>The socket may still be being made: what is sent waits in the transport's output.</summary>
    public void Start() => SendPreface(
    [
        (SettingId.EnablePush, 0),
        (SettingId.InitialWindowSize, (uint)Limits.StreamWindow),
        (SettingId.MaxHeaderListSize, (uint)Limits.MaxHeaderListSize),
    ]);

    /// <summary>Takes a place for a request; only if <see cref="CanOpen"/>.</summary>
    public IClientStream OpenStream(IClientStreamHandler handler)
    {
        if (!CanOpen)
            throw new InvalidOperationException("No room for a stream on this connection.");
        var stream = Pool.RentClient();
        stream.Open(this, handler);
        _taken++;
        return stream;
    }

    internal void WriteHead(Http2ClientStream stream, RequestHead head, bool end)
    {
        if (IsClosed || IsDraining)
        {
            GiveUp(stream, ResetReason.Refused);
            return;
        }

        if (stream.IsUpgrade && !PeerAllowsConnectProtocol)
        {
            // RFC 8441 section 3: not before the server has said that it can.
            if (HasPeerSettings)
            {
                GiveUp(stream, ResetReason.Refused);
                return;
            }

            (stream.Waiting, stream.IsHeld) = (head, true);
            _waiting.Add(stream);
            return;
        }

        Open(stream, _nextStream);
        _nextStream += 2;
        end &= !stream.IsTunnel;
        HeadWriter.Request(Transport.Output, Encoder, stream.Id, head, IsSecure, end, FrameHeader.DefaultMaxLength);
        stream.LocalEnded = end;
        stream.EndQueued &= end || stream.IsHeld;
        if (end)
            OnLocalEnd(stream);
    }

    /// <summary>Nothing of it has been sent.</summary>
    internal void GiveUp(Http2ClientStream stream, ResetReason reason)
    {
        Remove(stream);
        stream.DeliverReset(reason);
    }

    protected override void OnPeerSettings()
    {
        foreach (var stream in _waiting)
        {
            if (stream.IsClosed)
                continue;
            var head = stream.Waiting!;
            stream.Waiting = null;
            WriteHead(stream, head, end: false);
            if (!stream.IsClosed)
                Release(stream);
        }

        _waiting.Clear();
        Capacity();
    }

    protected override void OnConnectionEnd()
    {
        foreach (var stream in _waiting)
        {
            if (!stream.IsClosed)
                GiveUp(stream, ResetReason.Refused);
        }

        _waiting.Clear();
        Done();
    }

    protected override void OnStreamEnd(Http2Stream stream)
    {
        _taken--;
        if (_nextStream >= int.MaxValue - (2 * Limits.MaxConcurrentStreams))
            Done();
        else
            Capacity();
    }

    protected override bool MayEndDrained => _taken == 0;

    protected override void OnGoAway(int lastStream)
    {
        IsDraining = true;
        Done();
        EndStreams(ResetReason.Refused, lastStream);
        if (!IsClosed)
            EndIfDrained();
    }

    protected override bool IsUnused(int id) => (id & 1) == 0 || id >= _nextStream;

    protected override bool MayHaveData(Http2Stream stream, int length) => ((Http2ClientStream)stream).HeadReceived;

    protected override ErrorCode CodeOf(ResetReason reason) => reason == ResetReason.ProtocolError ? ErrorCode.ProtocolError : ErrorCode.Cancel;

    protected override void OnBlock(int id, ReadOnlySpan<byte> block, bool end)
    {
        if (IsUnused(id))
        {
            Fail(ErrorCode.ProtocolError, "HEADERS on an idle stream");
        }
        else if (Find(id) is not Http2ClientStream stream)
        {
            if (Decode(block, _nobody) && !WasReset(id))
                Fail(ErrorCode.StreamClosed, "HEADERS on a closed stream");
        }
        else if (stream.HeadReceived || stream.RemoteEnded)
        {
            OnTrailers(stream, block, end);
        }
        else
        {
            OnHead(stream, block, end);
        }
    }

    private void OnHead(Http2ClientStream stream, ReadOnlySpan<byte> block, bool end)
    {
        _response.Start(_head);
        if (!Decode(block, _response))
            return;
        var outcome = _response.Finish(end, stream.IsHead);
        if (outcome != ReadOutcome.Whole)
        {
            StreamError(stream, outcome == ReadOutcome.TooLarge ? ErrorCode.Cancel : ErrorCode.ProtocolError, outcome == ReadOutcome.TooLarge ? ResetReason.TooLarge : ResetReason.ProtocolError);
            return;
        }

        if (_head.IsInformational)
        {
            stream.DeliverHead(_head, end: false);
            return;
        }

        CountMessage();
        stream.HeadReceived = true;
        if (stream.IsTunnel && _head.Status is >= 200 and < 300)
        {
            if (stream.IsUpgrade)
                stream.TranslateUpgrade(_head); // the one form of an upgrade that the exchange knows
            _head.ContentLength = -1;
        }
        else
        {
            stream.IsTunnel = false;
            stream.Expected = stream.IsHead || _head.Status is 204 or 304 ? 0 : _head.ContentLength;
        }

        stream.RemoteEnded = end;
        stream.EndDelivered = end;
        stream.DeliverHead(_head, end);
        if (end)
            OnRemoteEnd(stream);
    }

    private void OnTrailers(Http2ClientStream stream, ReadOnlySpan<byte> block, bool end)
    {
        var list = stream.RentTrailers();
        _trailers.Start(list);
        if (!Decode(block, _trailers))
            return;
        if (stream.RemoteEnded)
            StreamError(stream, ErrorCode.StreamClosed);
        else if (!end || stream.Expected > 0 || _trailers.Finish() == ReadOutcome.Malformed)
            StreamError(stream, ErrorCode.ProtocolError);
        else if (_trailers.Finish() == ReadOutcome.TooLarge)
            StreamError(stream, ErrorCode.Cancel, ResetReason.TooLarge);
        else
            TakeTrailers(stream, list);
    }

    protected override void OnPeerReset(Http2Stream stream, ErrorCode code)
    {
        if (stream.RemoteEnded && code == ErrorCode.NoError)
        {
            // The response is whole, if not yet read; the rest of the request is not wanted (RFC 9113 section 8.1).
            stream.SendQueue.Clear();
            stream.EndQueued = stream.LocalEnded = true;
            if (stream.EndDelivered)
                OnRemoteEnd(stream);
            return;
        }

        Remove(stream);
        stream.DeliverReset(code == ErrorCode.RefusedStream ? ResetReason.Refused : ResetReason.PeerReset);
    }

    protected override void OnRemoteEnd(Http2Stream stream)
    {
        if (stream.IsClosed || (stream.IsTunnel && !stream.EndQueued))
            return;
        stream.Forget();
        if (stream.IsTunnel && !stream.LocalEnded)
            return;
        CountServed();
        if (!stream.LocalEnded)
            SendReset(stream.Id, ErrorCode.Cancel, counts: false);
        Remove(stream);
    }

    protected override void OnEndQueued(Http2Stream stream)
    {
        if (stream.IsTunnel && stream.EndDelivered)
            stream.Forget();
    }

    internal override void OnLocalEnd(Http2Stream stream)
    {
        OnEndQueued(stream);
        if (stream.EndDelivered)
            Remove(stream);
    }

    private void Capacity()
    {
        if (!_done && CanOpen)
            _owner.OnCapacity(this);
    }

    private void Done()
    {
        if (_done)
            return;
        _done = true;
        _owner.OnDone(this);
    }
}
