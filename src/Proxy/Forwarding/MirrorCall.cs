using Weft.Balancing;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>A copy of a request whose answer nobody hears. It never holds up the request it is a copy of: a mirror that cannot follow is cut.</summary>
internal sealed class MirrorCall : IClientStreamHandler
{
    // Nobody waits for the answer, so nobody would ever give it up: Envoy's default time-out of a route is 15 s.
    private const int PatienceMilliseconds = 15_000;
    private readonly LoopServices _services;
    private readonly Cluster _cluster;
    private readonly LoopTimer _timer;
    private UpstreamEndpoint? _endpoint;
    private IClientStream? _stream;
    private long _started;
    private bool _requestEnded;

    private MirrorCall(LoopServices services, Cluster cluster)
    {
        (_services, _cluster) = (services, cluster);
        _timer = new LoopTimer(services.Loop.Timers, Stop);
    }

    public static MirrorCall Start(LoopServices services, Cluster cluster, string? subset, RequestHead head, bool end)
    {
        var mirror = new MirrorCall(services, cluster);
        if (head.Upgrade.Length == 0 && !head.Method.SequenceEqual("CONNECT"u8))
            mirror.Send(subset, head, end);
        return mirror;
    }

    public void Data(ReadOnlySpan<byte> data, bool end)
    {
        _requestEnded |= end;
        if (_stream is not { } stream)
            return;
        stream.SendData(data, end);
        if (_stream is not null && stream.IsBlocked && !end)
            Stop();
    }

    public void Trailers(HeaderList trailers)
    {
        _requestEnded = true;
        _stream?.SendTrailers(trailers);
    }

    /// <summary>The request has ended; a copy that is not whole by then never will be.</summary>
    public void RequestOver()
    {
        if (!_requestEnded)
            Stop();
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        if (end)
            Ended();
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        if (end)
            Ended();
    }

    public void OnResponseTrailers(HeaderList trailers) => Ended();

    public void OnRequestWritable()
    {
    }

    public void OnResponseReset(ResetReason reason) => Ended();

    private void Send(string? subset, RequestHead head, bool end)
    {
        _requestEnded = end;
        if (!_cluster.Limits.TryRequest())
            return;
        _endpoint = _cluster.Table(subset).Pick(new PickRequest(), ref _services.Rng, out _);
        _started = _services.Loop.Nanoseconds;
        _endpoint?.State.Started();
        _stream = _endpoint is null ? null : _services.Upstreams.Open(_cluster, _endpoint, grpc: false, version: 11, client: null, this);
        if (_stream is null)
        {
            Release();
            return;
        }

        _timer.Set(_services.Loop.Now + PatienceMilliseconds);
        _stream.SendHead(Shadow(head), end);
    }

    // The shadow can tell itself from the real one by its host, as Envoy's users expect.
    private static RequestHead Shadow(RequestHead head)
    {
        var copy = new RequestHead
        {
            Method = head.Method,
            Scheme = head.Scheme,
            Target = head.Target,
            ContentLength = head.ContentLength,
            Authority = WithSuffix(head.Authority),
        };
        head.Headers.CopyTo(copy.Headers);
        return copy;
    }

    private static byte[] WithSuffix(ReadOnlySpan<byte> authority)
    {
        var colon = authority.Length > 0 && authority[0] != '[' ? authority.LastIndexOf((byte)':') : -1;
        return colon < 0 ? [.. authority, .. "-shadow"u8] : [.. authority[..colon], .. "-shadow"u8, .. authority[colon..]];
    }

    private void Stop()
    {
        var stream = _stream;
        _stream = null;
        stream?.Reset(ResetReason.Cancelled);
        if (stream is not null)
            Release();
    }

    private void Ended()
    {
        if (_stream is null)
            return;
        _stream = null;
        Release();
    }

    private void Release()
    {
        _timer.Dispose();
        _endpoint?.State.Ended(_services.Loop.Nanoseconds - _started, _services.Loop.Now * 1_000_000);
        _cluster.Limits.RequestEnded();
    }
}
