using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>
/// One request and its response:
///   1 the edge brings it into form   2 the route is found   3 the filters agree   4 an endpoint is called, perhaps several times   5 the answer passes the filters
///   6 both bodies flow, each held back by the other side   7 what happened is recorded.
/// Used again for the next request when it has ended.
/// </summary>
internal sealed class Exchange : IServerStreamHandler, IUpstreamCallHandler, IExchangeHost
{
    private readonly LoopServices _services;
    private readonly ExchangeContext _context;
    private readonly ExchangeRecord _record;
    private readonly UpstreamCall _call;
    private readonly LoopTimer _timer;
    private readonly LoopTimer _resume;
    private readonly List<MirrorCall> _mirrors = [];
    private DownstreamConnection _connection = null!;
    private HttpView _view = null!;
    private TelemetryView _telemetry = TelemetryView.Default;
    private FilterChain _filters;
    private IFilter[]? _deciding;
    private RequestHead? _head;
    private IServerStream? _server;
    private SplitTarget? _target;
    private MadeCookie? _splitCookie, _hashCookie;
    private Cluster? _cluster;
    private long _deadline, _idle, _lastMove, _maxRequest, _maxResponse;
    private int _prefixLength, _status;
    // Of the wait of a filter: another one for each, over all exchanges that this object is used for.
    private long _ticket;
    private bool _suspended, _called, _requestEnded, _responseBegun, _responseEnded, _tunnel, _isHead;

    public Exchange(LoopServices services)
    {
        _services = services;
        _context = new ExchangeContext(this);
        _record = new ExchangeRecord(services);
        _call = new UpstreamCall(services, this);
        _timer = new LoopTimer(services.Loop.Timers, OnTimer);
        _resume = new LoopTimer(services.Loop.Timers, ResumeNow);
    }

    long IExchangeHost.Now => _services.Loop.Now * 1_000_000;

    DateTimeOffset IExchangeHost.Time => _services.UtcNow;

    ref Rng IExchangeHost.Rng => ref _services.Rng;

    public void Begin(DownstreamConnection connection)
    {
        _connection = connection;
        (_suspended, _called, _requestEnded, _responseBegun, _responseEnded, _tunnel, _isHead) = (false, false, false, false, false, false, false);
        (_target, _splitCookie, _hashCookie, _cluster, _status, _prefixLength) = (null, null, null, null, 0, 0);
        (_deadline, _idle, _maxResponse) = (long.MaxValue, 0, 0);
        _ticket++;
    }

    public void OnRequest(IServerStream stream, RequestHead head, bool end)
    {
        (_server, _head, _requestEnded) = (stream, head, end);
        _view = _connection.Listener.Current;
        _telemetry = (_connection.Facts.Mesh is { } mesh ? mesh.Telemetry : _view.Telemetry)?.Current ?? TelemetryView.Default;
        _record.Begin(_services.Loop.Nanoseconds, _telemetry);
        _services.Metrics.InFlight++;
        _lastMove = _services.Loop.Now;
        _isHead = head.Method.SequenceEqual("HEAD"u8);
        _context.Facts.Head = head;
        _context.Facts.Connection = _connection.Facts;
        (_filters, _deciding) = (new FilterChain([]), null);
        // Before anything can refuse it: a request that is answered here has a span as well.
        Trace(head);
        if (_view.Edge.Enter(_context) != FilterVerdict.Continue)
        {
            Reply(ResponseFlags.None);
            return;
        }

        if (_services.Shedder?.Refuses(_services.Number) is { } overload)
        {
            _context.Respond(503, overload, "overloaded\n");
            _context.Reply.Head.Headers.Add("retry-after"u8, _services.Shedder.RetryAfter);
            Reply(ResponseFlags.OverloadManager);
            return;
        }

        if (_view.Config.Http.RequestId && !head.Headers.Has(KnownHeader.XRequestId))
            RequestIds.Add(head.Headers, ref _services.Rng);
        var found = _view.Routes.Find(_context.Facts);
        (_context.Route, _prefixLength) = (found.Route, found.PrefixLength);
        _deciding = found.Deciding;
        _filters = new FilterChain(_deciding ?? found.Route.Filters);
        RunFilters();
    }

    public void OnRequestData(ReadOnlySpan<byte> data, bool end)
    {
        _requestEnded |= end;
        _lastMove = _services.Loop.Now;
        _record.RequestBytes += data.Length;
        if (_maxRequest > 0 && _record.RequestBytes > _maxRequest)
        {
            TooLarge();
            return;
        }

        if (!_call.IsActive)
            return;
        _call.Data(data, end);
        foreach (var mirror in _mirrors)
            mirror.Data(data, end);
        if (!end && _call.IsBlocked)
            _server?.PauseRequest();
        if (end && _responseEnded)
            Finish();
    }

    public void OnRequestTrailers(HeaderList trailers)
    {
        _requestEnded = true;
        if (_call.IsActive)
            _call.Trailers(trailers);
        foreach (var mirror in _mirrors)
            mirror.Trailers(trailers);
    }

    public void OnResponseWritable() => _call.Resume();

    public void OnRequestReset(ResetReason reason)
    {
        _server = null;
        _record.Flags |= reason == ResetReason.ProtocolError ? ResponseFlags.DownstreamProtocolError : ResponseFlags.DownstreamConnectionTermination;
        _call.Cancel(TryOutcome.Reset);
        Finish();
    }

    public void OnAnswer(ResponseHead head, bool end)
    {
        if (_server is not { } server)
            return;
        _lastMove = _services.Loop.Now;
        if (head.IsInformational && head.Status != 101)
        {
            server.SendHead(head, end: false);
            return;
        }

        if (_connection.HttpVersion == 20 && head.Status is >= 200 and < 300 && _head!.Upgrade.Length > 0)
        {
            // To an extended CONNECT 2xx means that the tunnel is open (RFC 8441 section 5), which this is not.
            _call.Cancel(TryOutcome.Refused);
            OnCallFailed(502, ResponseFlags.UpstreamProtocolError, "upgrade_refused");
            return;
        }

        if (_connection.HttpVersion == 20 && head.Status == 101 && WebSocketHandshake.IsWebSocket(_head!.Upgrade) && !WebSocketHandshake.TakeAccept(head.Headers, _head.Headers))
        {
            // Over HTTP/2 the client cannot see what proves the tunnel, so it is for us to ask for the proof.
            _call.Cancel(TryOutcome.Refused);
            OnCallFailed(502, ResponseFlags.UpstreamProtocolError, "websocket_not_accepted");
            return;
        }

        _responseBegun = true;
        _status = head.Status;
        _tunnel = !end && Tunnels.Opens(_head!, head.Status);
        // A tunnel that was refused has no more from the client.
        _requestEnded |= !_tunnel && _head!.Upgrade.Length > 0;
        if (_tunnel)
            _deadline = long.MaxValue;
        _record.NoteGrpcStatus(head.Headers);
        _context.Response = head;
        _target?.ResponseHeaders?.EditResponse(_context);
        PassFilters(head);
        if (end)
            Ended();
        server.SendHead(head, end);
        if (end)
            Finish();
    }

    public void OnAnswerData(ReadOnlySpan<byte> data, bool end)
    {
        if (_server is not { } server)
            return;
        _lastMove = _services.Loop.Now;
        _record.ResponseBytes += data.Length;
        if (_maxResponse > 0 && _record.ResponseBytes > _maxResponse)
        {
            _context.Detail = "response_too_large";
            Cut();
            return;
        }

        if (end)
            Ended();
        server.SendData(data, end);
        if (end && (!_tunnel || _requestEnded))
            Finish();
        else if (!end && server.IsBlocked)
            _call.Pause();
    }

    public void OnAnswerTrailers(HeaderList trailers)
    {
        if (_server is not { } server)
            return;
        _record.NoteGrpcStatus(trailers);
        Ended();
        server.SendTrailers(trailers);
        Finish();
    }

    public void OnBodyWritable() => _server?.ResumeRequest();

    public void OnTrying(RequestHead head)
    {
        if ((_telemetry.Tracing ?? _view.Tracing) is { } tracing && _record.BeginTry(ref _services.Rng) is { } context)
            Tracer.Propagate(context, begun: false, head.Headers, tracing);
    }

    public void OnTry(UpstreamEndpoint endpoint, long nanoseconds, int status, TryOutcome outcome) => _record.AddTry(endpoint, nanoseconds, status, outcome);

    public void OnCallFailed(int status, ResponseFlags flags, string detail)
    {
        _record.Flags |= flags;
        if (_server is null)
            return;
        if (_responseBegun)
        {
            _context.Detail = detail;
            Cut();
        }
        else
        {
            if (status == 504)
                _context.RespondTimedOut(detail, Sentence(status));
            else
                _context.Respond(status, detail, Sentence(status));
            Reply(flags);
        }
    }

    public long Ticket => _ticket;

    public void Resume(long ticket) => _services.Loop.Post(() =>
    {
        if (ticket == _ticket)
            ResumeNow();
    });

    public void ResumeAfter(TimeSpan delay) => _resume.Set(_services.Loop.Now + Math.Max(1, (long)delay.TotalMilliseconds));

    public IAsideQuestion Ask(string cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler, ReadOnlyMemory<byte> grpc) =>
        AsideCall.Start(_services, _view.Clusters.GetValueOrDefault(cluster), question, timeout, handler, grpc);

    private void ResumeNow()
    {
        if (!_suspended || _head is null)
            return;
        _suspended = false;
        _ticket++;
        RunFilters();
    }

    private void RunFilters()
    {
        switch (_filters.Run(_context))
        {
            case FilterVerdict.Suspend:
                _suspended = true;
                if (!_requestEnded)
                    _server!.PauseRequest();
                return;
            case FilterVerdict.Respond:
                Reply(ResponseFlags.None);
                return;
            default:
                if (_deciding is not null)
                    ChooseAgain(_deciding);
                else
                    Act(_context.Route!);
                return;
        }
    }

    // Until the listener's filters have agreed nobody knows whose token it is, and there are rules that ask.
    private void ChooseAgain(IFilter[] agreed)
    {
        _deciding = null;
        var found = _view.Routes.Find(_context.Facts);
        (_context.Route, _prefixLength) = (found.Route, found.PrefixLength);
        _filters.Extend(found.Route.Config.OwnFiltersOnly ? [.. agreed, .. found.Route.Filters] : found.Route.Filters);
        RunFilters();
    }

    private void Act(Route route)
    {
        if (route.Forward is { } forward)
        {
            Forward(forward);
            return;
        }

        _ = route.Redirect?.Respond(_context, _prefixLength) ?? route.Direct!.Respond(_context);
        Reply(ResponseFlags.None);
    }

    private void Forward(ForwardPlan plan)
    {
        var (head, action) = (_head!, plan.Action);
        _maxRequest = action.MaxRequestBytes ?? _context.MaxRequestBytes;
        _maxResponse = action.MaxResponseBytes;
        if (Refusal(plan) is { } refusal)
        {
            _context.Respond(refusal.Status, refusal.Detail, Sentence(refusal.Status));
            Reply(ResponseFlags.None);
            return;
        }

        _target = plan.Choose(_context.Facts, ref _services.Rng, out _splitCookie);
        if (!_view.Clusters.TryGetValue(_target.Cluster, out _cluster))
        {
            _context.Respond(503, "cluster_not_found", Sentence(503));
            Reply(ResponseFlags.None);
            return;
        }

        var hash = plan.Hash?.Of(_context.Facts, ref _services.Rng, out _hashCookie);
        if (!plan.Rewrite.TryApply(_context.Facts, _prefixLength))
        {
            _context.Respond(400, "path_rewrite_invalid", Sentence(400));
            Reply(ResponseFlags.None);
            return;
        }

        _target.RequestHeaders?.EditRequest(_context);
        if (_connection.HttpVersion == 20 && WebSocketHandshake.IsWebSocket(head.Upgrade))
            WebSocketHandshake.SetKey(head.Headers, ref _services.Rng);
        StartTimers(action);
        foreach (var mirror in plan.Mirrors)
        {
            if (Chance.Hits(mirror.Fraction, ref _services.Rng) && _view.Clusters.TryGetValue(mirror.Cluster, out var copy))
                _mirrors.Add(MirrorCall.Start(_services, copy, mirror.Subset, head, _requestEnded));
        }

        _called = true;
        _call.Start(new CallPlan(_cluster, _target.Subset, action.Retry, hash, plan.Rewrite.EndpointHost, _context.IsGrpc, _connection.HttpVersion, _connection.Facts), head, _requestEnded);
        if (!_requestEnded && _server is { } server && _call.IsActive && !_call.IsBlocked)
            server.ResumeRequest();
    }

    private (int Status, string Detail)? Refusal(ForwardPlan plan)
    {
        var head = _head!;
        if (head.Upgrade.Length > 0)
            return plan.Allows(head.Upgrade) ? null : (403, "upgrade_not_allowed");
        if (head.Method.SequenceEqual("CONNECT"u8))
            return _view.Config.Http.AllowConnect ? null : (405, "connect_not_allowed");
        return _maxRequest > 0 && head.ContentLength > _maxRequest ? (413, "request_too_large") : null;
    }

    private void Trace(RequestHead head)
    {
        if ((_telemetry.Tracing ?? _view.Tracing) is not { } tracing)
            return;
        var span = Tracer.Begin(head.Headers, tracing, ref _services.Rng);
        Tracer.Propagate(span.Context, span.Begun, head.Headers, tracing);
        _record.NoteSpan(span);
    }

    private void StartTimers(ForwardAction action)
    {
        var timeout = action.Timeout;
        if (action.HonourGrpcTimeout && _context.IsGrpc && GrpcTimeout.Of(_head!.Headers) is { } sooner && (timeout <= TimeSpan.Zero || sooner < timeout))
            timeout = sooner;
        _deadline = timeout > TimeSpan.Zero ? _services.Loop.Now + Math.Max(1, (long)timeout.TotalMilliseconds) : long.MaxValue;
        _idle = (long)(action.IdleTimeout ?? _view.Config.Http.StreamIdleTimeout).TotalMilliseconds;
        SetTimer();
    }

    private void SetTimer()
    {
        var next = _idle > 0 ? Math.Min(_deadline, _lastMove + _idle) : _deadline;
        if (next != long.MaxValue)
            _timer.Set(next);
    }

    private void OnTimer()
    {
        if (_head is null)
            return;
        var now = _services.Loop.Now;
        if (now < _deadline && (_idle <= 0 || now < _lastMove + _idle))
        {
            SetTimer();
            return;
        }

        var late = now >= _deadline;
        _call.Cancel(TryOutcome.TimedOut);
        OnCallFailed(504, late ? ResponseFlags.UpstreamTimeout : ResponseFlags.StreamIdleTimeout, late ? "response_timeout" : "stream_idle_timeout");
    }

    private void TooLarge()
    {
        _call.Cancel(TryOutcome.Reset);
        if (_responseBegun)
        {
            Cut();
            return;
        }

        _context.Respond(413, "request_too_large", Sentence(413));
        Reply(ResponseFlags.None);
    }

    /// <summary>Sends what is in the context's reply, through the filters that saw the request.</summary>
    private void Reply(ResponseFlags flags)
    {
        _record.Flags |= flags | ReplyFlags.Of(_context.Detail);
        var (server, reply) = (_server!, _context.Reply);
        _status = reply.Head.Status;
        _record.NoteGrpcStatus(reply.Head.Headers);
        _context.Response = reply.Head;
        PassFilters(reply.Head);
        var empty = reply.Body.IsEmpty || _isHead;
        _record.ResponseBytes = empty ? 0 : reply.Body.Length;
        _responseBegun = true;
        Ended();
        server.SendHead(reply.Head, empty);
        if (!empty)
            server.SendData(reply.Body.Span, end: true);
        Finish();
    }

    private void PassFilters(ResponseHead head)
    {
        _filters.Respond(_context);
        _record.NoteResponse(head.Headers, _view);
        _splitCookie?.AddTo(head.Headers, _connection.Facts.IsTls);
        _hashCookie?.AddTo(head.Headers, _connection.Facts.IsTls);
    }

    private void Cut()
    {
        var server = _server;
        _call.Cancel(TryOutcome.Reset);
        server?.Reset(ResetReason.Cancelled);
        Finish();
    }

    private void Ended()
    {
        _responseEnded = true;
        if (!_tunnel || _requestEnded)
            _timer.Cancel();
    }

    private void Finish()
    {
        if (_head is null)
            return;
        _timer.Cancel();
        _resume.Cancel();
        _filters.End(_context);
        _record.Flags |= _context.Flags;
        _record.Write(_context, _connection, _view, _cluster, _status, _called ? _call.HeadAfter : -1);
        _services.Metrics.InFlight--;
        foreach (var mirror in _mirrors)
            mirror.RequestOver();
        _mirrors.Clear();
        var head = _head;
        (_head, _server) = (null, null);
        _context.Clear();
        _ticket++;
        _services.Return(head);
        _services.Return(this);
    }

    private static string Sentence(int status) => status switch
    {
        400 => "bad request\n",
        403 => "forbidden\n",
        405 => "method not allowed\n",
        413 => "request body too large\n",
        502 => "upstream failed\n",
        503 => "no upstream\n",
        504 => "upstream timed out\n",
        _ => "",
    };
}
