using Weft.Balancing;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>A question of a filter to another server, beside the exchange.</summary>
internal sealed class AsideCall : IClientStreamHandler, IAsideQuestion
{
    private const int MaxBody = 64 << 10;
    private readonly LoopServices _services;
    private readonly IAsideHandler _handler;
    private readonly LoopTimer _timer;
    private readonly ByteQueue _body;
    private readonly ResponseHead _answer = new();
    private Cluster? _cluster;
    private UpstreamEndpoint? _endpoint;
    private IClientStream? _stream;
    private bool _over;

    private AsideCall(LoopServices services, IAsideHandler handler)
    {
        (_services, _handler) = (services, handler);
        _timer = new LoopTimer(services.Loop.Timers, () => Give(answered: false));
        _body = new ByteQueue(services.Loop.Buffers);
    }

    public static AsideCall Start(LoopServices services, Cluster? cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler)
    {
        var call = new AsideCall(services, handler);
        // Never inside of the filter's own call.
        services.Loop.Post(() => call.Send(cluster, question, timeout));
        return call;
    }

    public void Cancel()
    {
        if (_over)
            return;
        _over = true;
        Release(reset: true);
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        if (head.IsInformational)
            return;
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

    public void OnResponseTrailers(HeaderList trailers) => Give(answered: true);

    public void OnRequestWritable()
    {
    }

    public void OnResponseReset(ResetReason reason)
    {
        _stream = null;
        Give(answered: false);
    }

    private void Send(Cluster? cluster, RequestHead question, TimeSpan timeout)
    {
        if (_over)
            return;
        if (cluster?.Limits.TryRequest() != true)
        {
            Give(answered: false);
            return;
        }

        _cluster = cluster;
        _endpoint = cluster.Table().Pick(new PickRequest(), ref _services.Rng, out _);
        _endpoint?.State.Started();
        _stream = _endpoint is null ? null : _services.Upstreams.Open(cluster, _endpoint, grpc: false, client: null, this);
        if (_stream is null)
        {
            Give(answered: false);
            return;
        }

        _timer.Set(_services.Loop.Now + Math.Max(1, (long)timeout.TotalMilliseconds));
        _stream.SendHead(question, end: true);
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
        _endpoint?.State.Ended(-1, _services.Loop.Now * 1_000_000);
        _cluster?.Limits.RequestEnded();
        (_endpoint, _cluster) = (null, null);
    }
}
