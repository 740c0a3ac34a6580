using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>A request to an endpoint, as the exchange sees it.</summary>
internal sealed class Http2ClientStream(BufferPool buffers) : Http2Stream(buffers), IClientStream
{
    private IClientStreamHandler? _handler;
    private Http2ClientConnection _client = null!;

    public bool IsHead { get; private set; }

    public bool IsConnect { get; private set; }

    public bool IsUpgrade { get; private set; }

    /// <summary>The final head has come.</summary>
    public bool HeadReceived { get; set; }

    /// <summary>Of a WebSocket: the client's key, for which a server of HTTP/2 has no answer.</summary>
    private ByteText? _key;

    /// <summary>For an extended CONNECT that waits for the peer's SETTINGS.</summary>
    public RequestHead? Waiting { get; set; }

    public override bool HasOwner => _handler is not null;

    public void Open(Http2ClientConnection connection, IClientStreamHandler handler)
    {
        (Connection, _client, _handler) = (connection, connection, handler);
        (IsHead, IsConnect, IsUpgrade, HeadReceived, Waiting) = (false, false, false, false, null);
    }

    public void SendHead(RequestHead head, bool end)
    {
        if (IsClosed || Id != 0 || Waiting is not null)
            return;
        if (!head.Headers.IsClean)
        {
            _client.GiveUp(this, ResetReason.ProtocolError);
            return;
        }

        IsHead = head.Method.SequenceEqual("HEAD"u8);
        IsUpgrade = !head.Upgrade.IsEmpty;
        IsConnect = head.Method.SequenceEqual("CONNECT"u8);
        IsTunnel = IsUpgrade || IsConnect;
        _key?.Clear();
        if (WebSocketHandshake.IsWebSocket(head.Upgrade) && head.Headers.IndexOf(WebSocketHandshake.Key) is var at and >= 0)
            (_key ??= new(32)).Set(head.Headers.Value(at));
        EndQueued = end;
        _client.WriteHead(this, head, end);
    }

    void IClientStream.SendData(ReadOnlySpan<byte> data, bool end) => SendData(data, end);

    void IClientStream.SendTrailers(HeaderList trailers) => SendTrailersNow(trailers);

    public void PauseResponse() => Pause();

    public void ResumeResponse() => Resume();

    public void Reset(ResetReason reason) => Connection.ResetByOwner(this, reason);

    /// <summary>The endpoint has taken the upgrade, which HTTP/1.1 says so.</summary>
    public void TranslateUpgrade(ResponseHead head)
    {
        head.Status = 101;
        if (_key is { Length: > 0 })
            WebSocketHandshake.SetAccept(head.Headers, _key.Span);
    }

    public void DeliverHead(ResponseHead head, bool end) => _handler?.OnResponse(head, end);

    public override void DeliverData(ReadOnlySpan<byte> data, bool end) => _handler?.OnResponseData(data, end);

    public override void DeliverTrailers(HeaderList trailers) => _handler?.OnResponseTrailers(trailers);

    public override void DeliverWritable() => _handler?.OnRequestWritable();

    public override void DeliverReset(ResetReason reason)
    {
        var handler = _handler;
        _handler = null;
        handler?.OnResponseReset(reason);
    }

    public override void Forget() => _handler = null;
}
