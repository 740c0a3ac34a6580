using Weft.Balancing;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>A question of a filter to another server, beside the exchange. One that certainly nobody has looked at is asked once more: a connection that the server was closing closes no door.</summary>
internal sealed class AsideCall : IClientStreamHandler, IAsideQuestion
{
    private const int MaxBody = 64 << 10;
    private readonly LoopServices _services;
    private readonly Cluster? _cluster;
    private readonly RequestHead _question;
    private readonly ReadOnlyMemory<byte> _content;
    private readonly bool _isGrpc;
    private readonly ConnectionFacts? _client;
    private readonly IAsideHandler _handler;
    private readonly LoopTimer _timer;
    private readonly ByteQueue _body;
    private readonly ResponseHead _answer = new();
    private UpstreamEndpoint? _endpoint;
    private IClientStream? _stream;
    private bool _counted, _begun, _repeated, _over;

    private AsideCall(LoopServices services, Cluster? cluster, RequestHead question, IAsideHandler handler, ReadOnlyMemory<byte> content, bool isGrpc, ConnectionFacts? client)
    {
        (_services, _cluster, _question, _handler, _content, _isGrpc, _client) = (services, cluster, question, handler, content, isGrpc, client);
        _timer = new LoopTimer(services.Loop.Timers, () => Give(answered: false));
        _body = new ByteQueue(services.Loop.Buffers);
    }

    public static AsideCall Start(LoopServices services, Cluster? cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler, ReadOnlyMemory<byte> grpc) =>
        Start(services, cluster, question, timeout, handler, grpc, isGrpc: !grpc.IsEmpty, client: null);

    /// <param name="content">Of the question; empty: it has none.</param>
    /// <param name="client">Null: it is asked as nobody.</param>
    public static AsideCall Start(
        LoopServices services, Cluster? cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler, ReadOnlyMemory<byte> content, bool isGrpc, ConnectionFacts? client)
    {
        var call = new AsideCall(services, cluster, question, handler, content, isGrpc, client);
        // Never inside of the filter's own call.
        services.Loop.Post(() => call.Begin(timeout));
        return call;
    }

    public void Cancel()
    {
        if (_over)
            return;
        _over = true;
        Release(reset: true);
        _body.Clear();
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        if (head.IsInformational)
            return;
        _begun = true;
        _answer.Clear();
        _answer.Status = head.Status;
        head.Headers.CopyTo(_answer.Headers);
        if (end)
            Give(answered: true);
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        _body.Write(data[..Math.Min(data.Length, MaxBody - _body.Length)]);
        if (end)
            Give(answered: true);
    }

    public void OnResponseTrailers(HeaderList trailers)
    {
        for (var i = 0; i < trailers.Count && _isGrpc; i++)
            _answer.Headers.Add(trailers.Name(i), trailers.Value(i));
        Give(answered: true);
    }

    public void OnRequestWritable()
    {
    }

    public void OnResponseReset(ResetReason reason)
    {
        _stream = null;
        if (_over || _begun || _repeated || reason is not (ResetReason.Stale or ResetReason.Refused or ResetReason.ConnectFailed))
        {
            Give(answered: false);
            return;
        }

        _repeated = true;
        EndpointEnded();
        // Never inside of our own call to the stream.
        _services.Loop.Post(Send);
    }

    private void Begin(TimeSpan timeout)
    {
        if (_over)
            return;
        if (_cluster?.Limits.TryRequest() != true)
        {
            Give(answered: false);
            return;
        }

        _counted = true;
        _timer.Set(_services.Loop.Now + Math.Max(1, (long)timeout.TotalMilliseconds));
        Send();
    }

    private void Send()
    {
        if (_over)
            return;
        _endpoint = _cluster!.Table().Pick(new PickRequest(), ref _services.Rng, out _);
        _endpoint?.State.Started();
        var stream = _endpoint is null ? null : _services.Upstreams.Open(_cluster, _endpoint, _isGrpc, version: 11, _client, this);
        _stream = stream;
        if (stream is null)
        {
            Give(answered: false);
            return;
        }

        stream.SendHead(_question, end: _content.IsEmpty);
        if (_stream == stream && !_content.IsEmpty)
            stream.SendData(_content.Span, end: true);
    }

    private void Give(bool answered)
    {
        if (_over)
            return;
        _over = true;
        Release(reset: !answered);
        _handler.OnAnswer(answered ? _answer : null, _body.Span);
        _body.Clear();
    }

    private void Release(bool reset)
    {
        _timer.Dispose();
        var stream = _stream;
        _stream = null;
        if (reset)
            stream?.Reset(ResetReason.Cancelled);
        EndpointEnded();
        if (_counted)
            _cluster!.Limits.RequestEnded();
        _counted = false;
    }

    private void EndpointEnded()
    {
        _endpoint?.State.Ended(-1, _services.Loop.Now * 1_000_000);
        _endpoint = null;
    }
}
