using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Heads;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>How a listener wants its HTTP/2 connections served. Shared by all of them.</summary>
/// <param name="scheme">`http`, or `https` on TLS.</param>
internal sealed class Http2ServerOptions(Http2Limits limits, string scheme)
{
    public Http2Limits Limits { get; } = limits;

    public byte[] Scheme { get; } = System.Text.Encoding.ASCII.GetBytes(scheme);

    /// <summary>With this one the client is told to go elsewhere; 0: never.</summary>
    public int MaxRequests { get; init; }
}

/// <summary>The server's side of HTTP/2: every request becomes a stream and gets a handler of the factory's.</summary>
internal sealed class Http2ServerConnection : Http2Connection
{
    private readonly IExchangeFactory _exchanges;
    private readonly Http2ServerOptions _options;
    private readonly RequestReader _request;
    private readonly TrailerReader _trailers;
    private readonly NoReader _nobody = new();
    private int _lastStream;
    private int _goAwayLast = int.MaxValue;
    private int _requests;

    // Streams that count against the limit. One that ended in this event still does: what a client opens and resets in one breath is bounded by the limit, too.
    private int _counted;

    public Http2ServerConnection(ITransport transport, IExchangeFactory exchanges, Http2ServerOptions options, Http2Streams pool)
        : base(transport, options.Limits, pool)
    {
        (_exchanges, _options) = (exchanges, options);
        (_request, _trailers) = (new(options.Limits), new(options.Limits));
    }

    /// <summary>Requests that were malformed, too large or too many.</summary>
    public int Refused { get; private set; }

    protected override bool IsServer => true;

    protected override int LastPeerStream => Math.Min(_lastStream, _goAwayLast);

    /// <summary>The connection is open. The preface of the client is read by <see cref="Http2Connection.OnData"/>.</summary>
    public void Start() => SendPreface(
    [
        (SettingId.MaxConcurrentStreams, (uint)Limits.MaxConcurrentStreams),
        (SettingId.InitialWindowSize, (uint)Limits.StreamWindow),
        (SettingId.MaxHeaderListSize, (uint)Limits.MaxHeaderListSize),
        (SettingId.EnableConnectProtocol, 1),
        (SettingId.NoRfc7540Priorities, 1),
    ]);

    protected override void OnConnectionEnd()
    {
    }

    protected override void FinishDrain()
    {
        base.FinishDrain();
        _goAwayLast = _lastStream;
        FrameWriter.GoAway(Transport.Output, _goAwayLast, ErrorCode.NoError);
        EndIfDrained();
    }

    protected override void OnGoAway(int lastStream)
    {
        // The client takes no pushes, of which there are none. It closes the connection itself when its requests are answered.
    }

    protected override bool IsUnused(int id) => (id & 1) == 0 || id > _lastStream;

    protected override bool IsBeyondGoAway(int id) => id > _goAwayLast;

    protected override bool MayHaveData(Http2Stream stream, int length) => true;

    protected override void OnSwept(Http2Stream stream) => _counted--;

    protected override ErrorCode CodeOf(ResetReason reason) => reason switch
    {
        ResetReason.Cancelled => ErrorCode.Cancel,
        ResetReason.Refused => ErrorCode.RefusedStream,
        _ => ErrorCode.InternalError, // the fault was not the client's
    };

    protected override void OnBlock(int id, ReadOnlySpan<byte> block, bool end)
    {
        if ((id & 1) == 0)
            Fail(ErrorCode.ProtocolError, "a stream of an even number");
        else if (Find(id) is { } stream)
            OnTrailers(stream, block, end);
        else if (id > _lastStream)
            OnNewStream(id, block, end);
        else if (Decode(block, _nobody) && !WasReset(id))
            Fail(ErrorCode.StreamClosed, "HEADERS on a closed stream");
    }

    private void OnNewStream(int id, ReadOnlySpan<byte> block, bool end)
    {
        _lastStream = id;
        DrainIfWanted();
        if (id > _goAwayLast)
        {
            Decode(block, _nobody);
            return;
        }

        // What comes until the client has heard of it is served, too.
        if (++_requests == _options.MaxRequests)
            Drain();
        if (_counted >= Limits.MaxConcurrentStreams)
        {
            Refused++;
            // Before it has heard of the limit a client cannot keep it (RFC 9113 section 5.1.2).
            if (Decode(block, _nobody))
                SendReset(id, ErrorCode.RefusedStream, counts: SettingsAcknowledged);
            return;
        }

        var head = _exchanges.RentHead();
        _request.Start(head);
        var decoded = Decode(block, _request);
        var outcome = decoded ? _request.Finish(end, _options.Scheme) : ReadOutcome.Malformed;
        if (outcome != ReadOutcome.Whole)
        {
            _exchanges.ReturnHead(head);
            Refused++;
            if (decoded)
                Refuse(id, outcome, end);
            return;
        }

        Begin(id, head, end);
    }

    private void Begin(int id, RequestHead head, bool end)
    {
        CountMessage();
        var stream = Pool.RentServer();
        var isUpgrade = !head.Upgrade.IsEmpty;
        stream.Open(this, _exchanges.Begin(), _request.IsHead, _request.IsConnect, isUpgrade);
        Open(stream, id);
        _counted++;
        stream.RemoteEnded = end;
        stream.Expected = end || stream.IsTunnel ? -1 : head.ContentLength;
        stream.ContinuePending = _request.ExpectsContinue && !end;
        var tunnelEnds = end && stream.IsTunnel;
        stream.EndDelivered = end && !tunnelEnds;
        stream.Begin(head, end && !stream.IsTunnel);
        Continue(stream);
    }

    /// <summary>Asked for only now: who is refused need not send the body first (RFC 9110 section 10.1.1).</summary>
    internal void Continue(Http2ServerStream stream)
    {
        if (!stream.ContinuePending || stream.IsClosed || stream.IsPaused || stream.HeadSent)
            return;
        stream.ContinuePending = false;
        HeadWriter.StatusAlone(Transport.Output, Encoder, stream.Id, 100, end: false);
    }

    internal void WriteHead(Http2ServerStream stream, ResponseHead head, int status, bool withLength, bool end)
    {
        HeadWriter.Response(Transport.Output, Encoder, stream.Id, head, status, withLength, end, FrameHeader.DefaultMaxLength);
        stream.LocalEnded = end;
    }

    private void Refuse(int id, ReadOutcome outcome, bool end)
    {
        if (outcome == ReadOutcome.Malformed)
        {
            SendReset(id, ErrorCode.ProtocolError);
            return;
        }

        // Request Header Fields Too Large (RFC 6585 section 5), which RFC 9113 section 10.5.1 names for it.
        HeadWriter.StatusAlone(Transport.Output, Encoder, id, 431, end: true);
        if (!end)
            SendReset(id, ErrorCode.NoError);
        else
            CountReset();
    }

    private void OnTrailers(Http2Stream stream, ReadOnlySpan<byte> block, bool end)
    {
        var list = stream.RentTrailers();
        _trailers.Start(list);
        if (!Decode(block, _trailers))
            return;
        if (stream.RemoteEnded)
            StreamError(stream, ErrorCode.StreamClosed);
        else if (!end || stream.Expected > 0 || _trailers.Finish() == ReadOutcome.Malformed)
            StreamError(stream, ErrorCode.ProtocolError); // section 8.1: the last block, and 8.1.1: not the announced length
        else if (_trailers.Finish() == ReadOutcome.TooLarge)
            StreamError(stream, ErrorCode.EnhanceYourCalm, ResetReason.TooLarge);
        else
            TakeTrailers(stream, list);
    }

    protected override void OnPeerReset(Http2Stream stream, ErrorCode code)
    {
        Remove(stream);
        stream.DeliverReset(ResetReason.PeerReset);
    }

    protected override void OnRemoteEnd(Http2Stream stream)
    {
        if (stream.IsClosed)
            return;
        if (stream.EndQueued)
            stream.Forget();
        if (stream.LocalEnded)
            Remove(stream);
    }

    protected override void OnEndQueued(Http2Stream stream)
    {
        if (!stream.IsTunnel || stream.EndDelivered)
            stream.Forget();
    }

    internal override void OnLocalEnd(Http2Stream stream)
    {
        OnEndQueued(stream);
        if (stream.IsTunnel && !stream.EndDelivered)
            return;
        CountServed();
        // Section 8.1: the response is whole, and the client is asked to send no more of the request. That is no fault of its.
        if (!stream.RemoteEnded)
            SendReset(stream.Id, ErrorCode.NoError, counts: false);
        Remove(stream);
    }
}
