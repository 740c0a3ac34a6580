using Weft.Balancing;
using Weft.Balancing.Concurrency;
using Weft.Balancing.Health;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Forwarding;

/// <summary>What an exchange hears from its upstream side.</summary>
internal interface IUpstreamCallHandler
{
    void OnAnswer(ResponseHead head, bool end);

    void OnAnswerData(ReadOnlySpan<byte> data, bool end);

    void OnAnswerTrailers(HeaderList trailers);

    void OnBodyWritable();

    /// <summary>A try begins with this head, which may still be changed.</summary>
    void OnTrying(RequestHead head);

    /// <summary>A try has ended, or its answer has begun.</summary>
    /// <param name="status">0: there was no answer.</param>
    void OnTry(UpstreamEndpoint endpoint, long nanoseconds, int status, TryOutcome outcome);

    /// <summary>No answer comes, or the rest of it does not.</summary>
    /// <param name="status">For the client, where nothing was sent yet.</param>
    void OnCallFailed(int status, ResponseFlags flags, string detail);
}

/// <summary>What one request needs of its upstream.</summary>
internal readonly record struct CallPlan(Cluster Cluster, string? Subset, RetryPolicy Retry, ulong? Hash, bool EndpointHost, bool Grpc, byte Version, ConnectionFacts Client);

/// <summary>
/// One request and the tries at it: chooses an endpoint, sends, judges what comes back, and sends again where the policy says so and nothing has been told to the client. Belongs to an exchange,
/// and is used again with it.
/// </summary>
internal sealed class UpstreamCall : IClientStreamHandler
{
    // A connection that was found dead costs nobody a try; endless it must not be.
    private const int MaxStale = 3;

    // Informational heads of one answer. A few have a use (100, 103); without a bound an endpoint could fill the memory of a client's connection that is not read.
    private const int MaxInformational = 16;

    private readonly LoopServices _services;
    private readonly IUpstreamCallHandler _handler;
    private readonly LoopTimer _timer;
    private readonly ReplayBody _body;
    private CallPlan _plan;
    private RequestHead _head = null!;
    private IClientStream? _stream;
    private UpstreamEndpoint? _endpoint;
    private GradientLimit? _concurrency;
    private TriedEndpoints _tried;
    private int _retries, _stale, _calls, _informational;
    private long _started, _tryStarted, _headAfter;
    private bool _active, _resent, _answered, _waiting, _inRetry, _sending, _tunnel, _responseOver, _tryOpen;

    public UpstreamCall(LoopServices services, IUpstreamCallHandler handler)
    {
        (_services, _handler) = (services, handler);
        _timer = new LoopTimer(services.Loop.Timers, OnTimer);
        _body = new ReplayBody(services.Loop.Buffers);
    }

    public bool IsActive => _active;

    public bool IsBlocked => _stream is { IsBlocked: true } || _waiting;

    /// <summary>Of the last try, in nanoseconds; -1: no head has come.</summary>
    public long HeadAfter => _headAfter;

    public void Start(in CallPlan plan, RequestHead head, bool end)
    {
        (_plan, _head, _tried, _retries, _stale, _headAfter) = (plan, head, default, 0, 0, -1);
        (_answered, _waiting, _inRetry, _endpoint, _tunnel, _responseOver, _resent) = (false, false, false, null, false, false, false);
        _calls++;
        _body.Begin(plan.Retry.Attempts > 0 ? plan.Retry.MaxBodyBytes : 0, end);
        if (!plan.Cluster.Limits.TryRequest())
        {
            _handler.OnCallFailed(503, ResponseFlags.UpstreamOverflow, "overflow");
            return;
        }

        // The one that it has entered is the one that it leaves, whatever the configuration is by then.
        _concurrency = plan.Cluster.Concurrency;
        _started = _services.Loop.Nanoseconds;
        if (_concurrency?.TryEnter(_started / 100) == false)
        {
            _concurrency = null;
            plan.Cluster.Limits.RequestEnded();
            _handler.OnCallFailed(503, ResponseFlags.UpstreamOverflow, "reached_concurrency_limit");
            return;
        }

        _active = true;
        Send();
    }

    public void Data(ReadOnlySpan<byte> data, bool end)
    {
        _body.Add(data, end, sending: _stream is not null);
        _stream?.SendData(data, end);
        if (end && _responseOver)
            Answered();
    }

    public void Trailers(HeaderList trailers)
    {
        _body.AddTrailers(trailers);
        _stream?.SendTrailers(trailers);
    }

    public void Pause() => _stream?.PauseResponse();

    public void Resume() => _stream?.ResumeResponse();

    /// <summary>The exchange wants no more: the client went away, or its time is over.</summary>
    public void Cancel(TryOutcome outcome)
    {
        if (!_active)
            return;
        var stream = _stream;
        _stream = null;
        stream?.Reset(ResetReason.Cancelled);
        if (_answered)
            EndpointEnded(-1);
        else if (_tryOpen)
            TryEnded(outcome == TryOutcome.TimedOut ? AttemptOutcome.LocalError : AttemptOutcome.Neutral, outcome, 0);
        End();
    }

    public void OnResponse(ResponseHead head, bool end)
    {
        _tunnel = !end && Tunnels.Opens(_head, head.Status);
        if (head.IsInformational && !_tunnel)
        {
            if (++_informational <= MaxInformational)
            {
                _handler.OnAnswer(head, end: false);
                return;
            }

            var stream = _stream;
            _stream = null;
            stream?.Reset(ResetReason.ProtocolError);
            Failed(ResetReason.ProtocolError);
            return;
        }

        var now = _services.Loop.Nanoseconds;
        _headAfter = now - _tryStarted;
        // A stream that has ended is its codec's again, perhaps already another request's: it is not to be reset when this answer is not taken.
        if (end)
            _stream = null;
        var grpc = GrpcStatuses.In(head.Headers);
        var outcome = AttemptJudge.Of(head.Status, grpc);
        if (RetryRules.OnAnswer(_plan.Retry, _head.Method, head.Status, grpc) && TryAgain(outcome, TryOutcome.Answered, head.Status))
            return;
        _answered = true;
        // Its place is another's from here: a tunnel or a stream goes on for hours, and costs the upstream no more waiting.
        LeaveConcurrency(now, now - _started);
        _body.Forget();
        _timer.Cancel();
        _handler.OnTry(_endpoint!, _headAfter, head.Status, TryOutcome.Answered);
        _plan.Cluster.Report(_endpoint!, outcome, _services.Number);
        if (end)
            Answered();
        _handler.OnAnswer(head, end);
    }

    public void OnResponseData(ReadOnlySpan<byte> data, bool end)
    {
        if (end)
            Answered();
        _handler.OnAnswerData(data, end);
    }

    public void OnResponseTrailers(HeaderList trailers)
    {
        Answered();
        _handler.OnAnswerTrailers(trailers);
    }

    public void OnRequestWritable() => _handler.OnBodyWritable();

    public void OnResponseReset(ResetReason reason)
    {
        _stream = null;
        if (_sending)
        {
            // Inside of our own call: told when that has returned.
            var call = _calls;
            _services.Loop.Post(() => ResetLater(call, reason));
            return;
        }

        Failed(reason);
    }

    private void ResetLater(int call, ResetReason reason)
    {
        if (call == _calls && _active && _stream is null && !_waiting)
            Failed(reason);
    }

    private void Failed(ResetReason reason)
    {
        if (_answered)
        {
            // The head was good and the rest did not come: the endpoint's fault, and nothing to be mended.
            _plan.Cluster.Report(_endpoint!, AttemptOutcome.LocalError, _services.Number);
            EndpointEnded(-1);
            End();
            _handler.OnCallFailed(502, ResponseFlags.UpstreamConnectionTermination, "upstream_reset_after_response_started");
            return;
        }

        // What nobody has looked at goes out again at once and once, whatever the policy says: an endpoint ends its connections in good order that way (GOAWAY). More tries are the
        // policy's (as gRPC's transparent retries).
        var unseen = reason == ResetReason.Refused && !_resent && _body.IsWhole;
        if (unseen || (reason == ResetReason.Stale && _stale < MaxStale && _body.IsWhole && RetryRules.IsIdempotent(_head.Method)))
        {
            _stale += unseen ? 0 : 1;
            _resent |= unseen;
            EndpointEnded(-1);
            Send();
            // The source was held back by the connection that is gone.
            if (_active && !IsBlocked)
                _handler.OnBodyWritable();
            return;
        }

        var outcome = reason switch
        {
            ResetReason.ConnectFailed => TryOutcome.ConnectFailed,
            ResetReason.Refused => TryOutcome.Refused,
            ResetReason.Overflow => TryOutcome.Overflow,
            _ => TryOutcome.Reset,
        };
        // Refusing is what an endpoint does that is going away in good order, and an idle connection may be closed by anybody.
        var judged = reason is ResetReason.Refused or ResetReason.Stale or ResetReason.Overflow ? AttemptOutcome.Neutral : AttemptOutcome.LocalError;
        if (RetryRules.OnReset(_plan.Retry, _head.Method, reason) && TryAgain(judged, outcome, 0))
            return;
        if (_endpoint is not null && !_waiting)
            TryEnded(judged, outcome, 0);
        End();
        var (status, flags, detail) = reason switch
        {
            ResetReason.ConnectFailed => (503, ResponseFlags.UpstreamConnectionFailure, "upstream_connection_failure"),
            ResetReason.ProtocolError or ResetReason.TooLarge => (502, ResponseFlags.UpstreamProtocolError, "upstream_protocol_error"),
            ResetReason.Refused => (503, ResponseFlags.UpstreamReset, "upstream_refused"),
            ResetReason.Overflow => (503, ResponseFlags.UpstreamOverflow, "pending_timeout"),
            _ => (502, ResponseFlags.UpstreamConnectionTermination, "upstream_reset_before_response_started"),
        };
        _handler.OnCallFailed(status, _retries > 0 && _retries >= _plan.Retry.Attempts ? flags | ResponseFlags.RetryLimit : flags, detail);
    }

    private void Send()
    {
        _waiting = false;
        var request = new PickRequest(_plan.Hash) { Tried = _plan.Retry.OtherEndpoint ? _tried : default };
        if (_plan.Cluster.Pick(_plan.Subset, request, _plan.Client.Destination, ref _services.Rng, out var index) is not { } endpoint)
        {
            End();
            _handler.OnCallFailed(503, ResponseFlags.NoHealthyUpstream, "no_healthy_upstream");
            return;
        }

        _tried = _tried.With(index);
        _endpoint = endpoint;
        _tryStarted = _services.Loop.Nanoseconds;
        (_headAfter, _informational) = (-1, 0);
        endpoint.State.Started();
        _tryOpen = true;
        if (_services.Upstreams.Open(_plan.Cluster, endpoint, _plan.Grpc, _plan.Version, _plan.Client, this) is not { } stream)
        {
            if (!TryAgain(AttemptOutcome.Neutral, TryOutcome.Overflow, 0))
            {
                TryEnded(AttemptOutcome.Neutral, TryOutcome.Overflow, 0);
                End();
                _handler.OnCallFailed(503, ResponseFlags.UpstreamOverflow, "overflow");
            }

            return;
        }

        _stream = stream;
        if (_plan.EndpointHost)
            _head.Authority = endpoint.HostBytes;
        if (_plan.Retry.PerTryTimeout > TimeSpan.Zero)
            _timer.Set(_services.Loop.Now + (long)_plan.Retry.PerTryTimeout.TotalMilliseconds);
        _handler.OnTrying(_head);
        _sending = true;
        stream.SendHead(_head, _body is { Ended: true, IsEmpty: true });
        if (_stream == stream)
            _body.SendTo(stream);
        _sending = false;
    }

    /// <summary>Gives up this try for another one; false when there is no other.</summary>
    private bool TryAgain(AttemptOutcome judged, TryOutcome outcome, int status)
    {
        if (_retries >= _plan.Retry.Attempts || !_body.IsWhole || _head.Upgrade.Length > 0)
            return false;
        if (!_inRetry && !_plan.Cluster.Limits.TryRetry())
            return false;
        _inRetry = true;
        _retries++;
        var stream = _stream;
        _stream = null;
        stream?.Reset(ResetReason.Cancelled);
        TryEnded(judged, outcome, status);
        _waiting = true;
        var wait = RetryRules.Backoff(_plan.Retry, _retries, _services.Rng.Fraction());
        _timer.Set(_services.Loop.Now + Math.Max(wait, 1));
        return true;
    }

    private void OnTimer()
    {
        if (!_active)
            return;
        if (_waiting)
        {
            Send();
            if (_active && !IsBlocked)
                _handler.OnBodyWritable();
            return;
        }

        // The time of this try is over.
        if (RetryRules.OnTimeout(_plan.Retry, _head.Method) && TryAgain(AttemptOutcome.LocalError, TryOutcome.TimedOut, 0))
            return;
        var stream = _stream;
        _stream = null;
        stream?.Reset(ResetReason.Cancelled);
        TryEnded(AttemptOutcome.LocalError, TryOutcome.TimedOut, 0);
        End();
        _handler.OnCallFailed(504, ResponseFlags.UpstreamTimeout, "upstream_per_try_timeout");
    }

    private void Answered()
    {
        // A tunnel goes on in the other direction.
        if (_tunnel && !_body.Ended)
        {
            _responseOver = true;
            return;
        }

        EndpointEnded(_headAfter);
        End();
    }

    private void TryEnded(AttemptOutcome judged, TryOutcome outcome, int status)
    {
        _handler.OnTry(_endpoint!, _services.Loop.Nanoseconds - _tryStarted, status, outcome);
        _plan.Cluster.Report(_endpoint!, judged, _services.Number);
        EndpointEnded(-1);
    }

    private void EndpointEnded(long nanoseconds)
    {
        // Once for each try, whichever way it ends.
        if (_tryOpen)
            _endpoint!.State.Ended(nanoseconds, _services.Loop.Now * 1_000_000, _plan.Cluster.Decay);
        _tryOpen = false;
    }

    private void End()
    {
        _active = false;
        _stream = null;
        _waiting = false;
        _timer.Cancel();
        _body.Clear();
        if (_inRetry)
            _plan.Cluster.Limits.RetryEnded();
        _inRetry = false;
        _plan.Cluster.Limits.RequestEnded();
        LeaveConcurrency(_services.Loop.Nanoseconds, -1);
    }

    private void LeaveConcurrency(long now, long latency)
    {
        _concurrency?.Leave(_started / 100, now / 100, latency);
        _concurrency = null;
    }
}
