using Weft.Proxy.Http;
using Weft.Proxy.Transport;
using Framing = Weft.Proxy.Http1.HeadWriter.Framing;

namespace Weft.Proxy.Http1;

/// <summary>How a listener wants its HTTP/1.1 connections served. Shared by all of them.</summary>
/// <param name="Scheme">`http`, or `https` on TLS.</param>
internal sealed class Http1ServerOptions(Http1Limits limits, string scheme)
{
    public Http1Limits Limits { get; } = limits;

    public byte[] Scheme { get; } = System.Text.Encoding.ASCII.GetBytes(scheme);

    /// <summary>Between two requests (Envoy's default is an hour, nginx' 75 s).</summary>
    public long IdleMilliseconds { get; init; } = 75_000;

    /// <summary>From the first byte of a head to its last: a client that dribbles is cut off (nginx' client_header_timeout is a minute).</summary>
    public long HeadMilliseconds { get; init; } = 30_000;

    /// <summary>The response to this one says that the connection is closed after it; 0: never.</summary>
    public int MaxRequests { get; init; }
}

/// <summary>
/// The server's side of HTTP/1.1 on one connection: one request after the other, the next is not looked at before the response to the last has been sent.
/// </summary>
internal sealed class Http1ServerConnection(ITransport transport, IExchangeFactory exchanges, Http1ServerOptions options) : IProtocol, IServerStream
{
    // A body that nobody wants is read and dropped up to this size, to keep the connection; beyond it a new connection is cheaper.
    private const long MaxDrained = 64 << 10;

    /// <summary>Requests that one connection has served in a row, when their answers need nobody else; then the others have their turn.</summary>
    internal const int RequestsPerTurn = 16;

    // Time for what has come to be read, before an idle connection is looked at again.
    private const long LookAgainMilliseconds = 50;

    private readonly Http1RequestParser _parser = new(options.Limits);
    private readonly ByteText _upgrade = new(16);
    private ChunkedDecoder? _chunks;
    private HeaderList? _trailers;
    private RequestHead? _head;
    private IServerStreamHandler? _handler;
    private Reading _reading;
    private Sending _sending;
    private long _bodyLeft, _responseLeft;
    private long _quietMilliseconds = options.IdleMilliseconds, _idleUntil = long.MaxValue;
    private int _requests;
    private bool _requestPaused, _continuePending, _isHead, _isConnect, _keepAlive, _upgrading, _inData, _closed, _responseEnded, _announcedClose, _draining;

    private enum Reading { Head, Length, Chunked, Ended, Tunnel, TunnelEnded }

    private enum Sending { Head, Length, Chunked, UntilClose, NoBody, Tunnel }

    public bool IsIdle => _handler is null && _head is null;

    /// <summary>Requests that were refused by the parser or cut before they were whole.</summary>
    public int Refused { get; private set; }

    public bool IsBlocked => transport.IsBlocked;

    /// <summary>The connection is open: the first request is waited for.</summary>
    public void Start() => BeIdle(options.HeadMilliseconds);

    public int OnData(ReadOnlySpan<byte> data)
    {
        _inData = true;
        var consumed = 0;
        var last = _requests + RequestsPerTurn;
        while (!_closed)
        {
            if (_requests >= last && _reading == Reading.Head)
            {
                if (consumed < data.Length)
                    transport.Yield();
                break;
            }

            var step = Step(data[consumed..], out var more);
            consumed += step;
            if (!more)
                break;
        }

        _inData = false;
        return _closed ? data.Length : consumed;
    }

    public void OnEnd()
    {
        if (_reading == Reading.Tunnel)
        {
            _reading = Reading.TunnelEnded;
            var other = _handler;
            if (_responseEnded)
            {
                Forget();
                transport.CloseGracefully(peerMaySend: false);
            }

            other?.OnRequestData(default, end: true);
            return;
        }

        // A client that is gone is what a close means nearly always; one that only half-closed cannot be told from it (Envoy's and nginx' reading).
        var handler = _handler;
        Forget();
        if (handler is null)
            transport.CloseGracefully(peerMaySend: false);
        else
            transport.Abort();
        handler?.OnRequestReset(ResetReason.PeerReset);
    }

    public void OnWritable()
    {
        if (_handler is { } handler)
            handler.OnResponseWritable();
        else if (_reading == Reading.Head && !_closed)
            transport.OfferAgain();
    }

    public void OnTimeout()
    {
        if (_handler is not null)
            return;
        if (_head is not null)
        {
            Refuse(408);
        }
        // What waits behind answers that nobody reads will not be looked at: such a client is as good as gone.
        else if (!transport.IsBlocked && transport.HasUnread)
        {
            transport.SetTimeout(transport.Now + LookAgainMilliseconds);
        }
        else
        {
            Forget();
            transport.CloseGracefully(peerMaySend: _draining);
        }
    }

    public void OnClosed()
    {
        var handler = _handler;
        Forget();
        handler?.OnRequestReset(ResetReason.PeerReset);
    }

    /// <summary>
    /// The connection is to end. The client is told with the next response, and only one that asks for nothing in <paramref name="quietMilliseconds"/> is closed without: whatever moment is
    /// chosen for that, a request may be on its way (RFC 9112 section 9.5), so that the less a client asks, the later it should be.
    /// </summary>
    public void DrainSoon(long quietMilliseconds)
    {
        _draining = true;
        _quietMilliseconds = Math.Min(quietMilliseconds, options.IdleMilliseconds);
        if (IsIdle && !_closed)
            BeIdle(Math.Min(_quietMilliseconds, _idleUntil - transport.Now));
    }

    /// <summary>Closes the connection if it is idle.</summary>
    public void CloseIdle()
    {
        if (!IsIdle || _closed)
            return;
        Forget();
        transport.CloseGracefully(peerMaySend: true);
    }

    public void SendHead(ResponseHead head, bool end)
    {
        if (!head.Headers.IsClean)
        {
            Break();
            return;
        }

        if (head.IsInformational && !(head.Status == 101 && _upgrading))
        {
            if (head.Status != 101 && !_parser.IsHttp10)
            {
                _continuePending &= head.Status != 100;
                HeadWriter.Response(transport.Output, head, Framing.None, default, default);
            }

            return;
        }

        var tunnel = (head.Status == 101 && _upgrading) || (_isConnect && head.Status is >= 200 and < 300);
        if (tunnel)
        {
            HeadWriter.Response(transport.Output, head, Framing.None, head.Status == 101 ? "upgrade"u8 : default, head.Status == 101 ? _upgrade.Span : default);
            (_sending, _reading) = (Sending.Tunnel, Reading.Tunnel);
            if (!_inData)
                transport.OfferAgain();
            return;
        }

        if (_upgrading || _isConnect)
            _reading = Reading.Ended;
        var framing = Frame(head, end);
        // An announced end saves the client a request into a closed connection.
        _keepAlive &= !_draining && (options.MaxRequests == 0 || _requests < options.MaxRequests) && framing != Framing.UntilClose && !(_continuePending && _reading != Reading.Ended);
        _announcedClose = !_keepAlive;
        HeadWriter.Response(transport.Output, head, framing, !_keepAlive ? "close"u8 : _parser.IsHttp10 ? "keep-alive"u8 : default, default);
        if (end)
            Finish();
    }

    public void SendData(ReadOnlySpan<byte> data, bool end)
    {
        switch (_sending)
        {
            case Sending.Length:
                _responseLeft -= data.Length;
                if (_responseLeft < 0 || (end && _responseLeft > 0))
                {
                    // What was announced cannot be kept: the client must see a cut, and no byte too many.
                    Break();
                    return;
                }

                transport.Write(data);
                break;
            case Sending.Chunked:
                if (!data.IsEmpty)
                {
                    HeadWriter.ChunkSize(transport.Output, data.Length);
                    transport.Write(data);
                    transport.Output.Write("\r\n"u8);
                }

                if (end)
                    HeadWriter.LastChunk(transport.Output, null);
                break;
            case Sending.UntilClose or Sending.Tunnel:
                transport.Write(data);
                break;
        }

        if (end)
            Finish();
    }

    public void SendTrailers(HeaderList trailers)
    {
        if (_sending == Sending.Length && _responseLeft != 0)
        {
            Break();
            return;
        }

        if (_sending == Sending.Chunked)
            HeadWriter.LastChunk(transport.Output, trailers);
        Finish();
    }

    public void PauseRequest()
    {
        _requestPaused = true;
        transport.PauseReading();
    }

    public void ResumeRequest()
    {
        if (!_requestPaused)
            return;
        _requestPaused = false;
        Continue();
        transport.ResumeReading();
    }

    public void Reset(ResetReason reason)
    {
        Forget();
        transport.Reset();
    }

    // The response is not what it said: the exchange hears of it as if the client had gone.
    private void Break()
    {
        var handler = _handler;
        Forget();
        transport.Reset();
        handler?.OnRequestReset(ResetReason.ProtocolError);
    }

    /// <returns>Bytes that are done with; <paramref name="more"/>: there may be something to do with the rest.</returns>
    private int Step(ReadOnlySpan<byte> data, out bool more)
    {
        more = false;
        if (_requestPaused)
            return 0;
        switch (_reading)
        {
            case Reading.Head:
                // Whoever does not read its answers gets no further ones to keep for it.
                return data.IsEmpty || transport.IsBlocked ? 0 : StepHead(data, out more);
            case Reading.Length:
                if (data.IsEmpty)
                    return 0;
                var piece = data[..(int)Math.Min(_bodyLeft, data.Length)];
                _bodyLeft -= piece.Length;
                more = true;
                if (_bodyLeft == 0)
                    EndRequest();
                Deliver(piece, _bodyLeft == 0);
                return piece.Length;
            case Reading.Chunked:
                return StepChunked(data, out more);
            case Reading.Tunnel:
                if (!data.IsEmpty)
                    _handler?.OnRequestData(data, end: false);
                return data.Length;
            default:
                return 0;
        }
    }

    private int StepHead(ReadOnlySpan<byte> data, out bool more)
    {
        more = false;
        if (_head is null)
        {
            _head = exchanges.RentHead();
            transport.SetTimeout(transport.Now + options.HeadMilliseconds);
        }

        var result = _parser.Parse(data, _head, out var consumed);
        if (result == ParseResult.Incomplete)
            return consumed;
        if (result == ParseResult.Failed)
        {
            Refuse(_parser.Error);
            return consumed;
        }

        transport.SetTimeout(long.MaxValue);
        more = true;
        Begin();
        return consumed;
    }

    private void Begin()
    {
        var head = _head!;
        _head = null;
        _requests++;
        head.Scheme = options.Scheme;
        _isHead = head.Method.SequenceEqual("HEAD"u8);
        _isConnect = head.Method.SequenceEqual("CONNECT"u8);
        _upgrading = !head.Upgrade.IsEmpty;
        if (_upgrading)
            _upgrade.Set(head.Upgrade);
        _keepAlive = _parser.KeepAlive;
        _responseEnded = false;
        _sending = Sending.Head;
        _bodyLeft = head.ContentLength;
        var end = !_upgrading && !_isConnect && head.ContentLength == 0;
        _reading = _parser.IsChunked ? Reading.Chunked : head.ContentLength > 0 ? Reading.Length : Reading.Ended;
        if (_reading == Reading.Chunked)
        {
            (_chunks ??= new(options.Limits)).Clear();
            (_trailers ??= new()).Clear();
        }

        _continuePending = _parser.ExpectsContinue && _reading != Reading.Ended;
        _handler = exchanges.Begin();
        _handler.OnRequest(this, head, end);
        Continue();
    }

    // Asked for only now: who is refused need not send the body first (RFC 9110 section 10.1.1).
    private void Continue()
    {
        if (!_continuePending || _requestPaused || _handler is null || _sending != Sending.Head)
            return;
        _continuePending = false;
        transport.Output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
    }

    private int StepChunked(ReadOnlySpan<byte> data, out bool more)
    {
        var result = _chunks!.Read(data, _trailers!, out var consumed, out var piece);
        more = result == ChunkResult.Data;
        switch (result)
        {
            case ChunkResult.Data:
                Deliver(piece, end: false);
                break;
            case ChunkResult.End:
                more = true;
                EndRequest();
                if (_trailers!.Count > 0 && _handler is { } handler)
                    handler.OnRequestTrailers(_trailers);
                else
                    Deliver(default, end: true);
                break;
            case ChunkResult.Failed:
                Refuse(400);
                break;
        }

        return consumed;
    }

    private void EndRequest()
    {
        _reading = Reading.Ended;
        _continuePending = false;
    }

    // Without a handler the response has been sent, and the rest is only read so that the connection can go on.
    private void Deliver(ReadOnlySpan<byte> piece, bool end)
    {
        if (_handler is { } handler)
            handler.OnRequestData(piece, end);
        else if (end)
            Next();
    }

    /// <summary>A request that cannot be served as it is. If its response has begun, all that is left is to cut it.</summary>
    private void Refuse(int status)
    {
        Refused++;
        var handler = _handler;
        var answer = _sending == Sending.Head && !_responseEnded;
        Forget();
        if (answer)
        {
            var output = transport.Output;
            output.Write(StatusLines.Of(status));
            output.Write("content-length: 0\r\nconnection: close\r\n\r\n"u8);
            transport.CloseGracefully(peerMaySend: true);
        }
        else
        {
            transport.Abort();
        }

        handler?.OnRequestReset(ResetReason.ProtocolError);
    }

    private Framing Frame(ResponseHead head, bool end)
    {
        if (_isHead || head.Status is 204 or 304)
        {
            _sending = Sending.NoBody;
            return head.ContentLength >= 0 && head.Status != 204 ? Framing.Length : Framing.None;
        }

        if (end && head.ContentLength < 0)
            head.ContentLength = 0;
        if (head.ContentLength >= 0)
        {
            (_sending, _responseLeft) = (Sending.Length, head.ContentLength);
            return Framing.Length;
        }

        _sending = _parser.IsHttp10 ? Sending.UntilClose : Sending.Chunked;
        return _parser.IsHttp10 ? Framing.UntilClose : Framing.Chunked;
    }

    /// <summary>The response is sent.</summary>
    private void Finish()
    {
        _responseEnded = true;
        if (_sending == Sending.Tunnel)
        {
            if (_reading == Reading.TunnelEnded)
            {
                Forget();
                transport.CloseGracefully(peerMaySend: false);
            }
            else
            {
                transport.ShutdownWriting();
            }

            return;
        }

        _handler = null;
        if (_requestPaused)
        {
            _requestPaused = false;
            transport.ResumeReading();
        }

        if (_reading == Reading.Ended)
        {
            Next();
        }
        else if (!_keepAlive || _announcedClose || _reading == Reading.Chunked || _bodyLeft > MaxDrained)
        {
            Forget();
            transport.CloseGracefully(peerMaySend: true);
        }
        else
        {
            // The rest is dropped as it comes, within the time of a head.
            transport.SetTimeout(transport.Now + options.HeadMilliseconds);
        }
    }

    private void Next()
    {
        if (!_keepAlive)
        {
            Forget();
            // A client that did not ask for the close may have the next request on its way.
            transport.CloseGracefully(peerMaySend: _parser.KeepAlive);
            return;
        }

        _parser.Clear();
        _reading = Reading.Head;
        _sending = Sending.Head;
        _responseEnded = false;
        BeIdle(_quietMilliseconds);
        if (!_inData)
            transport.OfferAgain();
    }

    private void BeIdle(long milliseconds)
    {
        _idleUntil = transport.Now + milliseconds;
        transport.SetTimeout(_idleUntil);
    }

    private void Forget()
    {
        _closed = true;
        _handler = null;
        if (_head is null)
            return;
        exchanges.ReturnHead(_head);
        _head = null;
    }
}
