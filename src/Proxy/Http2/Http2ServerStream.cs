using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2;

/// <summary>A request of a client, as the exchange sees it.</summary>
internal sealed class Http2ServerStream(BufferPool buffers) : Http2Stream(buffers), IServerStream
{
    private IServerStreamHandler? _handler;
    private Http2ServerConnection _server = null!;

    /// <summary>A response head that is final has been sent.</summary>
    public bool HeadSent { get; private set; }

    public bool IsConnect { get; private set; }

    public bool IsHead { get; private set; }

    /// <summary>The client waits for 100 (Continue) (RFC 9110 section 10.1.1).</summary>
    public bool ContinuePending { get; set; }

    public override bool HasOwner => _handler is not null;

    // Bytes for a tunnel that does not stand yet are not a body.
    public override bool HoldsData => IsPaused || (IsTunnel && !HeadSent);

    public void Open(Http2ServerConnection connection, IServerStreamHandler handler, bool isHead, bool isConnect, bool isUpgrade)
    {
        (Connection, _server, _handler, IsHead, IsConnect, HeadSent, ContinuePending) = (connection, connection, handler, isHead, isConnect, false, false);
        IsTunnel = isConnect || isUpgrade;
    }

    public void Begin(RequestHead head, bool end) => _handler!.OnRequest(this, head, end);

    public void SendHead(ResponseHead head, bool end)
    {
        if (IsClosed || HeadSent)
            return;
        var status = head.Status;
        if (!head.Headers.IsClean)
        {
            Reset(ResetReason.ProtocolError);
            return;
        }

        var tunnel = IsTunnel && (IsConnect ? status is >= 200 and < 300 : status == 101);
        if (head.IsInformational && !tunnel)
        {
            ContinuePending &= status != 100;
            if (status != 101)
                _server.WriteHead(this, head, status, withLength: false, end: false);
            return;
        }

        HeadSent = true;
        ContinuePending = false;
        if (!tunnel)
            IsTunnel = false;
        var withLength = !tunnel && status != 204;
        if (end)
            EndQueued = true;
        _server.WriteHead(this, head, tunnel && status == 101 ? 200 : status, withLength, end);
        if (end)
            Connection.OnLocalEnd(this);
        else if (tunnel && !IsPaused)
            Connection.DeliverLater(this);
    }

    void IServerStream.SendData(ReadOnlySpan<byte> data, bool end) => SendData(data, end);

    void IServerStream.SendTrailers(HeaderList trailers) => SendTrailersNow(trailers);

    public void PauseRequest() => Pause();

    public void ResumeRequest()
    {
        Resume();
        _server.Continue(this);
    }

    public void Reset(ResetReason reason) => Connection.ResetByOwner(this, reason);

    public override void DeliverData(ReadOnlySpan<byte> data, bool end) => _handler?.OnRequestData(data, end);

    public override void DeliverTrailers(HeaderList trailers) => _handler?.OnRequestTrailers(trailers);

    public override void DeliverWritable() => _handler?.OnResponseWritable();

    public override void DeliverReset(ResetReason reason)
    {
        var handler = _handler;
        _handler = null;
        handler?.OnRequestReset(reason);
    }

    public override void Forget() => _handler = null;
}
