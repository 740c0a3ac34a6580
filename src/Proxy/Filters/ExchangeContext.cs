using System.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Filters;

/// <summary>
/// One exchange as filters see it: the engine has one for each of its exchanges and clears it for the next. Touched on the exchange's loop alone.
/// </summary>
internal sealed class ExchangeContext(IExchangeHost host)
{
    private object?[] _states = [];
    private int _stateCount;

    public IExchangeHost Host => host;

    public RequestFacts Facts { get; } = new();

    public RequestHead Request => Facts.Head;

    public ConnectionFacts Connection => Facts.Connection;

    /// <summary>The endpoint's answer or <see cref="Reply"/>'s; during <see cref="IFilter.OnResponse"/>.</summary>
    public ResponseHead Response { get; set; } = new();

    public LocalReply Reply { get; } = new();

    /// <summary>Null while none was found.</summary>
    public Route? Route { get; set; }

    /// <summary>What a token, key or password said of the client; null: nothing that was verified.</summary>
    public RequestIdentity? Identity { get; set; }

    /// <summary>Largest body of the request; 0: any.</summary>
    public long MaxRequestBytes { get; set; }

    /// <summary>Why the exchange ended as it did, in a word for metrics and records (Envoy's response code details); null: nothing special.</summary>
    public string? Detail { get; set; }

    /// <summary>What was done on purpose beside the answer: delays.</summary>
    public ResponseFlags Flags { get; set; }

    /// <summary>Policy that decided; null: none did.</summary>
    public string? Policy { get; set; }

    /// <summary>The rule of <see cref="Policy"/> that decided, from 0 on; -1: none.</summary>
    public int PolicyRule { get; set; } = -1;

    /// <summary>What policies that are only tried out, or only watch, have found. Empty for nearly all requests.</summary>
    public List<PolicyFinding> Findings { get; } = [];

    /// <summary>For a value that is being written; valid until the next one.</summary>
    public System.Buffers.ArrayBufferWriter<byte> Buffer { get; } = new();

    /// <summary>Of the filter that is running; null at first.</summary>
    public object? State
    {
        get => Running < _stateCount ? _states[Running] : null;
        set
        {
            if (Running >= _states.Length)
                Array.Resize(ref _states, Math.Max(8, Running + 1));
            _stateCount = Math.Max(_stateCount, Running + 1);
            _states[Running] = value;
        }
    }

    internal int Running { get; set; }

    public bool IsGrpc => Request.Headers.TryGet(KnownHeader.ContentType, out var type) && GrpcStatuses.IsGrpc(type);

    /// <summary>Answers in place of the endpoint.</summary>
    /// <param name="detail">For <see cref="Detail"/>; a constant.</param>
    public FilterVerdict Respond(int status, string detail, string body = "")
    {
        Reply.Set(status, Encoding.UTF8.GetBytes(body), "text/plain; charset=utf-8"u8, IsGrpc);
        Detail = detail;
        return FilterVerdict.Respond;
    }

    /// <summary>
    /// 504, and for gRPC DEADLINE_EXCEEDED: a client that reads UNAVAILABLE, as the table of HTTP's statuses would have it, asks again though its time is over.
    /// </summary>
    /// <inheritdoc cref="Respond" path="/param"/>
    public void RespondTimedOut(string detail, string body)
    {
        Respond(504, detail, body);
        if (IsGrpc)
            Reply.SetGrpc(GrpcStatuses.DeadlineExceeded, Encoding.UTF8.GetBytes(body));
    }

    public void Clear()
    {
        Facts.Path.Clear();
        Facts.Host.Clear();
        Facts.Token = null;
        Reply.Clear();
        (Route, Identity, MaxRequestBytes, Detail, Policy, PolicyRule, Flags) = (null, null, 0, null, null, -1, ResponseFlags.None);
        Findings.Clear();
        Array.Clear(_states, 0, _stateCount);
        (_stateCount, Running) = (0, 0);
    }
}

/// <param name="Kind">`dry-run-deny`, `dry-run-allow`, `audit`: constants.</param>
internal readonly record struct PolicyFinding(string Kind, string Policy, int Rule);
