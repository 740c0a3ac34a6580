using Weft.Proxy.Http;
using Weft.Proxy.Transport;
using Framing = Weft.Proxy.Http1.HeadWriter.Framing;

namespace Weft.Proxy.Http1;

/// <summary>Who keeps client connections between requests.</summary>
internal interface IHttp1Pool
{
    /// <summary>The response is whole and the connection can take another request.</summary>
    void OnIdle(Http1ClientConnection connection);

    /// <summary>It can not, or is gone.</summary>
    void OnDone(Http1ClientConnection connection);
}

/// <summary>The client's side of HTTP/1.1 on one connection: one request at a time, never pipelined.</summary>
internal sealed class Http1ClientConnection(ITransport transport, IHttp1Pool pool, Http1Limits limits) : IProtocol, IClientStream
{
    // A WebSocket is ended by its Close frame, and Chromium ends its stream of HTTP/2 right behind it. Servers such as Kestrel take the end of a TCP connection for its loss
    // and do not answer any more. So the endpoint may end first for as long as a connection lingers elsewhere.
    private const long WebSocketEndMilliseconds = 5_000;

    private readonly Http1ResponseParser _parser = new(limits);
    private readonly ResponseHead _head = new();
    private ChunkedDecoder? _chunks;
    private HeaderList? _trailers;
    private IClientStreamHandler? _handler;
    private Reading _reading;
    private Framing _framing;
    private long _bodyLeft, _requestLeft;
    private int _requests;
    private bool _isHead, _upgrading, _isWebSocket, _isConnect, _requestEnded, _paused, _closed, _heard;

    private enum Reading { Head, Length, Chunked, UntilClose, Tunnel, TunnelEnded }

    public ITransport Transport => transport;

    /// <summary>The socket is connected, and the handshake done: what goes wrong later may have reached the endpoint.</summary>
    public bool IsConnected { get; private set; }

    public void OnConnected() => IsConnected = true;

    /// <summary>That it has been taken for.</summary>
    public int Requests => _requests;

    /// <summary>Milliseconds of the loop's clock.</summary>
    public long OpenedAt { get; init; }

    /// <summary>What the request's Host is when the client had none (HTTP/1.0).</summary>
    public byte[] FallbackHost { get; init; } = [];

    public bool IsBlocked => transport.IsBlocked;

    /// <summary>Takes the connection for one request.</summary>
    public void Begin(IClientStreamHandler handler)
    {
        _handler = handler;
        _requests++;
        transport.SetTimeout(long.MaxValue);
        _reading = Reading.Head;
        _requestEnded = _heard = _upgrading = false;
        _parser.Clear();
        _head.Clear();
    }

    public void SendHead(RequestHead head, bool end)
    {
        if (!head.Headers.IsClean)
        {
            Fail(ResetReason.ProtocolError);
            return;
        }

        _isHead = head.Method.SequenceEqual("HEAD"u8);
        _isConnect = head.Method.SequenceEqual("CONNECT"u8);
        _upgrading = !head.Upgrade.IsEmpty;
        _isWebSocket = WebSocketHandshake.IsWebSocket(head.Upgrade);
        var hasBody = !end && !_upgrading && !_isConnect;
        // "content-length: 0" where a body is usual: some servers wait for one otherwise (RFC 9110 section 8.6).
        _framing = !hasBody
            ? head.ContentLength == 0 && (head.Method.SequenceEqual("POST"u8) || head.Method.SequenceEqual("PUT"u8) || head.Method.SequenceEqual("PATCH"u8)) ? Framing.Length : Framing.None
            : head.ContentLength >= 0 ? Framing.Length : Framing.Chunked;
        _requestLeft = hasBody ? head.ContentLength : 0;
        HeadWriter.Request(transport.Output, head, _framing, FallbackHost);
        _requestEnded = !hasBody;
    }

    public void SendData(ReadOnlySpan<byte> data, bool end)
    {
        if (_reading is Reading.Tunnel or Reading.TunnelEnded)
        {
            transport.Write(data);
            if (!end)
                return;
            if (_reading == Reading.TunnelEnded)
                CloseTunnel();
            else if (_isWebSocket)
                transport.SetTimeout(transport.Now + WebSocketEndMilliseconds);
            else
                transport.ShutdownWriting();
            _requestEnded = true;
            return;
        }

        if (_framing == Framing.Length)
        {
            _requestLeft -= data.Length;
            if (_requestLeft < 0 || (end && _requestLeft > 0))
            {
                Fail(ResetReason.ProtocolError);
                return;
            }

            transport.Write(data);
        }
        else if (_framing == Framing.Chunked)
        {
            if (!data.IsEmpty)
            {
                HeadWriter.ChunkSize(transport.Output, data.Length);
                transport.Write(data);
                transport.Output.Write("\r\n"u8);
            }

            if (end)
                HeadWriter.LastChunk(transport.Output, null);
        }

        _requestEnded |= end;
    }

    public void SendTrailers(HeaderList trailers)
    {
        if (_framing == Framing.Chunked)
            HeadWriter.LastChunk(transport.Output, trailers);
        else if (_requestLeft > 0)
            Fail(ResetReason.ProtocolError);
        _requestEnded = true;
    }

    public void PauseResponse()
    {
        _paused = true;
        transport.PauseReading();
    }

    public void ResumeResponse()
    {
        if (!_paused)
            return;
        _paused = false;
        transport.ResumeReading();
    }

    public void Reset(ResetReason reason)
    {
        _handler = null;
        Close(isCut: true);
    }

    public int OnData(ReadOnlySpan<byte> data)
    {
        var consumed = 0;
        while (!_closed && !_paused && consumed < data.Length)
        {
            if (_handler is null)
            {
                // Nobody asked: an answer to a request that was not sent, or the end of one that was longer than it said.
                Close();
                break;
            }

            var before = consumed;
            consumed += Step(data[consumed..]);
            if (consumed == before)
                break;
        }

        return _closed ? data.Length : consumed;
    }

    public void OnEnd()
    {
        switch (_reading)
        {
            case Reading.UntilClose when _handler is { } handler:
                _handler = null;
                Close();
                handler.OnResponseData(default, end: true);
                return;
            case Reading.Tunnel when _handler is { } handler:
                _reading = Reading.TunnelEnded;
                if (_requestEnded)
                    CloseTunnel();
                handler.OnResponseData(default, end: true);
                return;
            default:
                Fail(Reason());
                return;
        }
    }

    public void OnWritable()
    {
        if (!_requestEnded || _reading == Reading.Tunnel)
            _handler?.OnRequestWritable();
    }

    // While it is used, time is the exchange's business, but for the end of a WebSocket.
    public void OnTimeout()
    {
        if (_handler is null)
            Close();
        else if (_isWebSocket && _requestEnded && _reading == Reading.Tunnel)
            transport.ShutdownWriting();
    }

    public void OnClosed() => Fail(Reason());

    private ResetReason Reason() => !IsConnected ? ResetReason.ConnectFailed : _requests > 1 && !_heard ? ResetReason.Stale : ResetReason.PeerReset;

    private int Step(ReadOnlySpan<byte> data)
    {
        _heard = true;
        switch (_reading)
        {
            case Reading.Head:
                return StepHead(data);
            case Reading.Length:
                var piece = data[..(int)Math.Min(_bodyLeft, data.Length)];
                _bodyLeft -= piece.Length;
                if (_bodyLeft == 0)
                    Complete(data.Length == piece.Length).OnResponseData(piece, end: true);
                else
                    _handler!.OnResponseData(piece, end: false);
                return piece.Length;
            case Reading.Chunked:
                return StepChunked(data);
            case Reading.UntilClose or Reading.Tunnel:
                _handler!.OnResponseData(data, end: false);
                return data.Length;
            default:
                return data.Length;
        }
    }

    private int StepHead(ReadOnlySpan<byte> data)
    {
        var result = _parser.Parse(data, _head, out var consumed);
        if (result == ParseResult.Failed)
            Fail(ResetReason.ProtocolError);
        if (result != ParseResult.Done)
            return consumed;
        if (_head.Status == 101 && !(_upgrading && !_parser.Upgrade.IsEmpty))
        {
            // A tunnel that nobody asked for would be a response of its own making for the next request.
            Fail(ResetReason.ProtocolError);
            return consumed;
        }

        if (_head.IsInformational && _head.Status != 101)
        {
            _handler!.OnResponse(_head, end: false);
            _parser.Clear();
            _head.Clear();
            return consumed;
        }

        Begin(rest: data.Length - consumed);
        return consumed;
    }

    // The final head.
    private void Begin(int rest)
    {
        if (_head.Status == 101 || (_isConnect && _head.Status is >= 200 and < 300))
        {
            _reading = Reading.Tunnel;
            _requestEnded = false;
            _head.ContentLength = -1;
            _handler!.OnResponse(_head, end: false);
            return;
        }

        if (_isHead || _head.Status is 204 or 304 || (_head.ContentLength == 0 && !_parser.IsChunked))
        {
            Complete(rest == 0).OnResponse(_head, end: true);
            return;
        }

        _bodyLeft = _head.ContentLength;
        _reading = _parser.IsChunked ? Reading.Chunked : _bodyLeft > 0 ? Reading.Length : Reading.UntilClose;
        if (_reading == Reading.Chunked)
        {
            (_chunks ??= new(limits)).Clear();
            (_trailers ??= new()).Clear();
        }

        _handler!.OnResponse(_head, end: false);
    }

    private int StepChunked(ReadOnlySpan<byte> data)
    {
        var result = _chunks!.Read(data, _trailers!, out var consumed, out var piece);
        switch (result)
        {
            case ChunkResult.Data:
                _handler!.OnResponseData(piece, end: false);
                break;
            case ChunkResult.End:
                var handler = Complete(consumed == data.Length);
                if (_trailers!.Count > 0)
                    handler.OnResponseTrailers(_trailers);
                else
                    handler.OnResponseData(default, end: true);
                break;
            case ChunkResult.Failed:
                Fail(ResetReason.ProtocolError);
                break;
        }

        return consumed;
    }

    /// <summary>
    /// The response is whole: the connection goes back before the handler hears of it. Not used again when the request was not sent to its end, or when
    /// more came than belongs to the response: both would poison the next one.
    /// </summary>
    private IClientStreamHandler Complete(bool nothingLeft)
    {
        var handler = _handler!;
        _handler = null;
        if (nothingLeft && _requestEnded && _parser.KeepAlive && !_upgrading)
            pool.OnIdle(this);
        else
            Close();
        return handler;
    }

    private void Fail(ResetReason reason)
    {
        var handler = _handler;
        _handler = null;
        Close(isCut: handler is not null);
        handler?.OnResponseReset(reason);
    }

    /// <summary>An idle connection that is not wanted any more.</summary>
    public void Retire() => Close();

    // What the client sent last may still wait.
    private void CloseTunnel()
    {
        if (_closed)
            return;
        _closed = true;
        _handler = null;
        transport.CloseGracefully(peerMaySend: false);
        pool.OnDone(this);
    }

    private void Close(bool isCut = false)
    {
        if (_closed)
            return;
        _closed = true;
        if (isCut)
            transport.Abort();
        else
            transport.Leave();
        pool.OnDone(this);
    }
}
