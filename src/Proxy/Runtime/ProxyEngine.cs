using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;

namespace Weft.Proxy.Runtime;

/// <summary>
/// The whole data plane of a process: its loops, and what configurations make of them. A configuration is applied as a whole or not at all; requests that are under way end by the
/// one that they began with.
/// </summary>
public sealed partial class ProxyEngine : IAsyncDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ProxyClock _clock;
    private readonly ProxyNames _names = new();
    private readonly LoopServices[] _loops;
    private readonly ClusterSet _clusters;
    private readonly ListenerSet _listeners;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _maintaining;
    private readonly AccessLog _access;
    private readonly Task _recording;
    private FilterFactory _filters = new(FilterKinds.WithoutServices);

    /// <param name="loops">Event loops; 0: one for each processor.</param>
    /// <param name="accessLog">Where records of requests go; null: nowhere.</param>
    public ProxyEngine(int loops, Stream? accessLog, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_loggers, _logger, _clock) = (loggers, loggers.CreateLogger<ProxyEngine>(), new ProxyClock(time));
        var count = loops > 0 ? loops : Environment.ProcessorCount;
        _loops = [.. Enumerable.Range(0, count).Select(number => new LoopServices(
            new EventLoop($"loop {number}", time, defect => Log.Defect(_logger, defect)), number, (ulong)random.NextInt64(), _names, time, loop => new Upstreams(loop)))];
        _clusters = new ClusterSet(count, _clock, random, loggers);
        _listeners = new ListenerSet(_loops);
        foreach (var loop in _loops)
            loop.Loop.Start();
        _maintaining = _clusters.MaintainAsync(_stop.Token);
        _access = new AccessLog([.. _loops.Select(loop => loop.Access)], new AccessJson(_names.Texts), accessLog, time);
        _recording = _access.RunAsync(_stop.Token);
    }

    /// <summary>The configuration that is served.</summary>
    public ProxyConfig Config { get; private set; } = ProxyConfig.Empty;

    /// <summary>Addresses by listener name, with the port that the kernel chose where 0 was asked for.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses => _listeners.Addresses;

    /// <summary>Serves by this from now on.</summary>
    /// <exception cref="ProxyConfigException">Nothing has changed.</exception>
    public async Task ApplyAsync(ProxyConfig config)
    {
        await _gate.WaitAsync();
        try
        {
            var bound = _listeners.Bind(config);
            await _clusters.ApplyAsync(config);
            _filters = new FilterFactory(FilterKinds.WithoutServices, _filters);
            var tables = config.RouteTables.ToDictionary(table => table.Name);
            await _listeners.ApplyAsync(config, bound, listener => View(config, listener, tables));
            Config = config;
            await _clusters.ForgetAsync(config);
            await ForgetPoolsAsync();
            Log.Applied(_logger, config.Listeners.Count, config.RouteTables.Count, config.Clusters.Count);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What a scrape of Prometheus gets.</summary>
    public void WriteMetrics(TextWriter to)
    {
        var text = new PrometheusText(to);
        new IstioMetrics(_names.Sources, _names.Destinations).Write([.. _loops.Select(loop => loop.Metrics)], text);
        text.Family("weft_proxy_connections", "gauge", "Connections of clients that are open.");
        text.Sample("weft_proxy_connections", "", _loops.Sum(loop => loop.Metrics.Connections));
        text.Family("weft_proxy_requests_in_flight", "gauge", "Requests that are not answered.");
        text.Sample("weft_proxy_requests_in_flight", "", _loops.Sum(loop => loop.Metrics.InFlight));
        text.Family("weft_proxy_access_records_dropped_total", "counter", "Access records that the log could not take in time.");
        text.Sample("weft_proxy_access_records_dropped_total", "", _access.Dropped);
        text.Family("weft_proxy_endpoint_requests_in_flight", "gauge", "Requests in flight, by endpoint.");
        foreach (var (name, cluster) in _clusters.Clusters)
        {
            foreach (var endpoint in cluster.Table().Endpoints)
                text.Sample("weft_proxy_endpoint_requests_in_flight", text.Labels([("cluster", name), ("endpoint", endpoint.Key)]), (long)endpoint.State.Active);
        }

        text.Family("weft_proxy_endpoint_healthy", "gauge", "1: takes requests; 0: out, by checks, ejection or on its own wish.");
        foreach (var (name, cluster) in _clusters.Clusters)
        {
            foreach (var (endpoint, health, reason) in cluster.Describe())
                text.Sample("weft_proxy_endpoint_healthy", text.Labels([("cluster", name), ("endpoint", endpoint.Key), ("ejection", reason.ToString())]), health == Balancing.Localities.EndpointHealth.Healthy ? 1L : 0L);
        }
    }

    /// <summary>No new connections; open ones are told with their next answer. Returns when all are gone or the time is over.</summary>
    public async Task DrainAsync(TimeSpan most)
    {
        await _listeners.DrainAsync();
        var started = _clock.Time.GetTimestamp();
        while (_clock.Time.GetElapsedTime(started) < most && await _listeners.ConnectionsAsync() > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock.Time);
    }

    /// <summary>Bytes that the loops have allocated since they started: what a budget is held against.</summary>
    internal long AllocatedBytes => _loops.Sum(loop => loop.Loop.AllocatedBytes);

    public async ValueTask DisposeAsync()
    {
        await _listeners.CloseAsync();
        await _stop.CancelAsync();
        await _maintaining;
        await _recording;
        await _clusters.DisposeAsync();
        foreach (var loop in _loops)
            loop.Loop.Dispose();
        _stop.Dispose();
        _gate.Dispose();
    }

    private HttpView View(ProxyConfig config, ListenerConfig listener, Dictionary<string, RouteTableConfig> tables)
    {
        var table = listener.RouteTable is { } name ? tables[name] : new RouteTableConfig();
        return new HttpView(
            listener, _names.Texts.Intern(listener.Name), RouteTable.Compile(table, listener, _filters), new EdgeStage(listener.Http), _clusters.Clusters,
            config.Tracing is { } tracing ? new TracingSettings((int)(tracing.Fraction * 1_000_000)) : null, config.AccessLog.Enabled, config.AccessLog.Fraction);
    }

    private async Task ForgetPoolsAsync()
    {
        var stay = new HashSet<Upstream.Clusters.UpstreamEndpoint>();
        foreach (var cluster in _clusters.Clusters.Values)
            stay.UnionWith(cluster.Describe().Select(one => one.Endpoint));
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(() => ((Upstreams)loop.Upstreams).Keep(stay.Contains));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "serving {Listeners} listeners, {Tables} route tables, {Clusters} clusters", EventName = nameof(Applied))]
        public static partial void Applied(ILogger logger, int listeners, int tables, int clusters);

        [LoggerMessage(LogLevel.Error, "a defect in a loop; its connection was closed", EventName = nameof(Defect))]
        public static partial void Defect(ILogger logger, Exception defect);
    }
}
