using Weft.Balancing;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Overload;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Forwarding;

/// <summary>What the exchanges of one loop share, and use again: no lock, no allocation when all has been used once.</summary>
internal sealed class LoopServices
{
    private readonly Stack<RequestHead> _heads = new();
    private readonly Stack<Exchange> _exchanges = new();
    private readonly TimeProvider _time;
    public Rng Rng;

    /// <param name="number">Of this loop, from 0 on.</param>
    /// <param name="upstreams">Makes the loop's connections.</param>
    public LoopServices(EventLoop loop, int number, ulong seed, ProxyNames names, TimeProvider time, Func<EventLoop, Http2Streams, IUpstreams> upstreams)
    {
        (Loop, Number, Rng, Names, _time) = (loop, number, new Rng(seed), names, time);
        Http2Streams = new Http2Streams(loop.Buffers);
        Upstreams = upstreams(loop, Http2Streams);
    }

    public EventLoop Loop { get; }

    public int Number { get; }

    public ProxyNames Names { get; }

    public Http2Streams Http2Streams { get; }

    public IUpstreams Upstreams { get; }

    public LoopMetrics Metrics { get; } = new();

    public AccessRing Access { get; } = new();

    /// <summary>Null: there is nothing that is asked whether a request may be taken on.</summary>
    public LoadShedder? Shedder { get; set; }

    public DateTimeOffset UtcNow => _time.GetUtcNow();

    public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

    public void Return(RequestHead head)
    {
        head.Clear();
        _heads.Push(head);
    }

    public Exchange RentExchange() => _exchanges.TryPop(out var exchange) ? exchange : new(this);

    public void Return(Exchange exchange) => _exchanges.Push(exchange);
}

/// <summary>The numbers that records and series of all loops name things by.</summary>
internal sealed class ProxyNames
{
    // Routes, clusters and endpoints of a large mesh; peers cannot add to these.
    private const int MaxNames = 1_000_000;
    // Identities come from certificates that were verified: as many as a large mesh has workloads.
    private const int MaxWorkloads = 100_000;

    public InternTable<string> Texts { get; } = new("", MaxNames);

    public InternTable<WorkloadLabels> Sources { get; } = new(new WorkloadLabels(), MaxWorkloads);

    public InternTable<DestinationLabels> Destinations { get; } = new(new DestinationLabels(), MaxWorkloads);

    public SpanSources SpanSources { get; } = new(MaxWorkloads);

    public InternTable<SeriesRules> SeriesRules { get; } = new(Telemetry.Workloads.SeriesRules.None, MaxWorkloads);
}
