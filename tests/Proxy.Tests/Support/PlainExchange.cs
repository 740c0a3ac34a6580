using Weft.Proxy.Http;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Tests.Support;

/// <summary>The least that forwards: no routes, no filters. What the engine below the exchanges is tested with.</summary>
internal sealed class PlainExchange(PlainExchanges owner) : IServerStreamHandler, IClientStreamHandler
{
    private RequestHead? _head;
    private IServerStream? _server;
    private IClientStream? _client;
    private bool _requestEnded, _bodyBegun, _responseBegun, _tunnel, _responseEnded;
    private int _tries;

    // One more for a connection that was found dead; what else is tried again is a route's policy.
    private const int MaxTries = 3;

    public void Begin()
    {
        _requestEnded = _bodyBegun = _responseBegun = _tunnel = _responseEnded = false;
        _tries = 0;
    }

    public void OnRequest(IServerStream stream, RequestHead head, bool end)
    {
        (_server, _head, _requestEnded) = (stream, head, end);
        head.Headers.Set("x-forwarded-for"u8, owner.Peer);
        Send();
    }

    public void OnRequestData(ReadOnlySpan<byte> data, bool end)
    {
        _bodyBegun = true;
        _requestEnded |= end;
        if (_client is not { } client)
            return;
        client.SendData(data, end);
        if (client.IsBlocked && !end)
            _server?.PauseRequest();
        if (end && _responseEnded)
            Release();
    }

    public void OnRequestTrailers(HeaderList trailers)
    {
        _bodyBegun = _requestEnded = true;
        _client?.SendTrailers(trailers);
    }

    public void OnResponseWritable() => _client?.ResumeResponse();

    public void OnRequestReset(ResetReason reason)
    {
        _server = null;
        _client?.Reset(ResetReason.Cancelled);
        Release();
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        _tunnel = head.Status == 101 || (head.Status is >= 200 and < 300 && _head!.Method.SequenceEqual("CONNECT"u8));
        _responseBegun |= _tunnel || !head.IsInformational;
        _server!.SendHead(head, end);
        if (end)
            Release();
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        if (_server is not { } server)
            return;
        server.SendData(data, end);
        if (end)
        {
            _responseEnded = true;
            if (!_tunnel || _requestEnded)
                Release();
        }
        else if (server.IsBlocked)
        {
            _client?.PauseResponse();
        }
    }

    public void OnResponseTrailers(HeaderList trailers)
    {
        _server?.SendTrailers(trailers);
        Release();
    }

    public void OnRequestWritable() => _server?.ResumeRequest();

    public void OnResponseReset(ResetReason reason)
    {
        _client = null;
        if (_responseBegun)
        {
            _server?.Reset(reason);
            Release();
        }
        else if (MayRetry(reason))
        {
            Send();
        }
        else
        {
            Respond(reason is ResetReason.ConnectFailed or ResetReason.Overflow ? 503 : 502);
        }
    }

    private void Send()
    {
        _tries++;
        if (owner.Pool.Open(this) is not { } client)
        {
            Respond(503);
            return;
        }

        _client = client;
        client.SendHead(_head!, _requestEnded);
    }

    // A body that has begun to flow is gone.
    private bool MayRetry(ResetReason reason) => _tries < MaxTries && !_bodyBegun && reason switch
    {
        ResetReason.Refused => true,
        ResetReason.Stale => IsIdempotent(_head!.Method),
        _ => false,
    };

    // RFC 9110 section 9.2.2.
    private static bool IsIdempotent(ReadOnlySpan<byte> method) =>
        method.SequenceEqual("GET"u8) || method.SequenceEqual("HEAD"u8) || method.SequenceEqual("PUT"u8) || method.SequenceEqual("DELETE"u8) || method.SequenceEqual("OPTIONS"u8)
        || method.SequenceEqual("TRACE"u8);

    private void Respond(int status)
    {
        var server = _server!;
        Release();
        var head = new ResponseHead { Status = status, ContentLength = 0 };
        server.SendHead(head, end: true);
    }

    private void Release()
    {
        if (_head is null)
            return;
        owner.ReturnHead(_head);
        (_head, _server, _client) = (null, null, null);
        owner.Return(this);
    }
}

/// <summary>For one client connection.</summary>
internal sealed class PlainExchanges(EndpointPool pool, byte[] peer) : IExchangeFactory
{
    private readonly Stack<RequestHead> _heads = new();
    private readonly Stack<PlainExchange> _exchanges = new();

    public EndpointPool Pool => pool;

    public byte[] Peer => peer;

    public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

    public void ReturnHead(RequestHead head)
    {
        head.Clear();
        _heads.Push(head);
    }

    public IServerStreamHandler Begin()
    {
        var exchange = _exchanges.TryPop(out var used) ? used : new(this);
        exchange.Begin();
        return exchange;
    }

    public void Return(PlainExchange exchange) => _exchanges.Push(exchange);
}
