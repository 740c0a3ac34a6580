using System.Collections.Frozen;
using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Validation;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Mesh.Spans;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Overload;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Telemetry.Tracing;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Discovery;

namespace Weft.Proxy.Runtime;

/// <summary>
/// The whole data plane of a process: its loops, and what configurations make of them. A configuration is applied as a whole or not at all; requests that are under way end by the
/// one that they began with.
/// </summary>
public sealed partial class ProxyEngine : IAsyncDisposable
{
    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(20);

    // A process that ends resets connections in which something is unread, and with them an answer that was not read yet: some round trips of the slowest networks.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ProxyClock _clock;
    private readonly ProxyNames _names = new();
    private readonly LoopServices[] _loops;
    private readonly ClusterSet _clusters;
    private readonly ListenerSet _listeners;
    private readonly TlsContexts _tls;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Ticker _maintaining;
    private readonly AccessLog _access;
    private readonly Ticker _recording;
    private readonly LoadShedder _shedder;
    private readonly ulong _clusterSeed;
    private readonly FilterServices _services;
    private readonly ClusterStreams _streams;
    private readonly SpanExport _spans;
    private AccessSeen? _watcher;
    private readonly MeshSpans _meshSpans;
    private Ticker? _watching;
    private bool _disposed;
    private FilterFactory _filters = new(FilterKinds.WithoutServices);

    /// <param name="loops">Event loops; 0: one for each processor.</param>
    /// <param name="accessLog">Where records of requests go; null: nowhere.</param>
    /// <param name="inherited">What processes before this one had; null: there were none, and none follow.</param>
    /// <param name="mark">On all connections to endpoints (SO_MARK); 0: none.</param>
    public ProxyEngine(int loops, Stream? accessLog, TimeProvider time, Random random, ILoggerFactory loggers, Inheritance? inherited = null, int mark = 0)
    {
        (_loggers, _logger, _clock) = (loggers, loggers.CreateLogger<ProxyEngine>(), new ProxyClock(time));
        _clusterSeed = (ulong)random.NextInt64();
        var count = loops > 0 ? loops : Environment.ProcessorCount;
        _loops = [.. Enumerable.Range(0, count).Select(number => new LoopServices(
            new EventLoop($"loop {number}", time, defect => Log.Defect(_logger, defect)) { Mark = mark }, number, (ulong)random.NextInt64(), _names, time, (loop, streams) => new Upstreams(loop, streams)))];
        _tls = new TlsContexts(inherited?.Tickets ?? TicketKeys.New(), time);
        _streams = new ClusterStreams(_loops[0]);
        _services = new FilterServices(new KeyServers(() => Clusters, () => Volatile.Read(ref _meshPaths), MachineNames.Own, _streams.OpenAsync), time, _logger);
        _clusters = new ClusterSet(count, _clock, random, loggers, () => _ = ForgetPoolsAsync());
        _listeners = new ListenerSet(_loops, inherited?.Sockets);
        _shedder = new LoadShedder(_loops, () => Environment.WorkingSet, time);
        foreach (var loop in _loops)
        {
            loop.Shedder = _shedder;
            loop.Loop.Start();
        }

        _spans = new SpanExport(_names.Texts, time, loggers);
        _meshSpans = new MeshSpans(_loops[0], name => Clusters.GetValueOrDefault(name), time, loggers);
        _access = new AccessLog([.. _loops.Select(loop => loop.Access)], new AccessJson(_names.Texts), accessLog, Seen);
        _maintaining = new Ticker("clusters", ClusterSet.Tick, Look, Beside);
        _recording = new Ticker("access log", AccessLog.Interval, _access.Write, Beside);

        void Seen(in AccessRecord record, in AccessTexts texts)
        {
            _spans.Offer(record, texts);
            _meshSpans.Offer(record, texts);
            Volatile.Read(ref _watcher)?.Invoke(record, texts);
        }

        void Look()
        {
            _clusters.Maintain();
            _shedder.Look();
        }

        void Beside(Exception defect) => Log.DefectBeside(_logger, defect);
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
            var tls = Prepare(config, out var needs, out var spans);
            var bound = Bind(config, tls);
            var template = config.AccessLog.Format == AccessLogFormat.Text ? LogTemplate.Parse(config.AccessLog.Template ?? LogTemplate.Istio) : null;
            try
            {
                await _clusters.ApplyAsync(config, tls.Cluster);
                _filters = new FilterFactory(FilterKinds.With(needs), _filters);
                await _listeners.ApplyAsync(config, bound, new Views(this, config, tls, template));
            }
            catch
            {
                _listeners.GiveUp(bound);
                throw;
            }

            _shedder.Configure(config.Overload);
            tls.Commit();
            _access.Use(template is null ? new AccessJson(_names.Texts) : new AccessText(template, _names.Texts));
            await _spans.ApplyAsync(spans);
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

    /// <summary>Whether it could be applied, but for addresses, which are only asked for when it is.</summary>
    /// <exception cref="ProxyConfigException">What is wrong with it.</exception>
    public void Check(ProxyConfig config) => Prepare(config, out _, out _).Discard();

    /// <summary>Looks once a second, by a thread of its own, whether the loops turn.</summary>
    /// <param name="turning">At each look that finds none that hangs.</param>
    /// <param name="hanging">Gets the name of the loop.</param>
    /// <param name="most">So long a loop may take to answer; null: as the configuration says (<see cref="ProxyConfig.LoopTimeout"/>).</param>
    public void WatchLoops(Action turning, Action<string> hanging, TimeSpan? most = null)
    {
        var watch = new LoopWatch(_loops.Select(loop => loop.Loop));
        _watching = new Ticker("watch", LoopWatch.Interval, Look, defect => Log.DefectBeside(_logger, defect));

        void Look()
        {
            var limit = most ?? Config.LoopTimeout;
            if (watch.Look(limit > TimeSpan.Zero ? limit : TimeSpan.MaxValue) is { } name)
                hanging(name);
            else
                turning();
        }
    }

    /// <summary>What a scrape of Prometheus gets.</summary>
    /// <param name="everyEndpoint">Also of those that nothing is to be said of: healthy, and without a request.</param>
    public void WriteMetrics(TextWriter to, bool everyEndpoint = true)
    {
        var text = new PrometheusText(to);
        var istio = new IstioMetrics(_names.Sources, _names.Destinations, _names.SeriesRules);
        istio.Write([.. _loops.Select(loop => loop.Metrics)], text);
        if (_loops.Any(loop => loop.Metrics.Tunnels.Series.Any()))
            istio.WriteConnections([.. _loops.Select(loop => loop.Metrics)], text);
        text.Family("weft_proxy_connections", "gauge", "Connections of clients that are open.");
        text.Sample("weft_proxy_connections", "", _loops.Sum(loop => loop.Metrics.Connections));
        text.Family("weft_proxy_requests_in_flight", "gauge", "Requests that are not answered.");
        text.Sample("weft_proxy_requests_in_flight", "", _loops.Sum(loop => loop.Metrics.InFlight));
        text.Family("weft_proxy_access_records_dropped_total", "counter", "Access records that the log could not take in time.");
        text.Sample("weft_proxy_access_records_dropped_total", "", _access.Dropped);
        text.Family("weft_proxy_spans_sent_total", "counter", "Spans that the collector took.");
        text.Sample("weft_proxy_spans_sent_total", "", _spans.Sent + _meshSpans.Sent);
        text.Family("weft_proxy_spans_dropped_total", "counter", "Spans that the collector did not take, or not in time.");
        text.Sample("weft_proxy_spans_dropped_total", "", _spans.Dropped + _meshSpans.Dropped);
        text.Family("weft_proxy_endpoint_requests_in_flight", "gauge", "Requests in flight, by endpoint.");
        foreach (var (name, cluster) in _clusters.Clusters)
        {
            foreach (var endpoint in cluster.Table().Endpoints)
            {
                if (everyEndpoint || endpoint.State.Active > 0)
                    text.Sample("weft_proxy_endpoint_requests_in_flight", text.Labels([("cluster", name), ("endpoint", endpoint.Key)]), (long)endpoint.State.Active);
            }
        }

        text.Family("weft_proxy_cluster_concurrency_limit", "gauge", "Requests at once that a cluster with adaptive concurrency is given.");
        foreach (var (name, cluster) in _clusters.Clusters)
        {
            if (cluster.Concurrency is { } concurrency)
                text.Sample("weft_proxy_cluster_concurrency_limit", text.Labels([("cluster", name)]), (long)concurrency.Limit);
        }

        text.Family("weft_proxy_endpoint_healthy", "gauge", "1: takes requests; 0: out, by checks, ejection or on its own wish.");
        foreach (var (name, cluster) in _clusters.Clusters)
        {
            foreach (var (endpoint, health, reason) in cluster.Describe().Where(one => everyEndpoint || one.Health != Balancing.Localities.EndpointHealth.Healthy))
                text.Sample("weft_proxy_endpoint_healthy", text.Labels([("cluster", name), ("endpoint", endpoint.Key), ("ejection", reason.ToString())]), health == Balancing.Localities.EndpointHealth.Healthy ? 1L : 0L);
        }
    }

    /// <summary>No new connections; open ones are told with their next answer. Returns when all are gone or the time is over.</summary>
    /// <param name="handedOver">Another process accepts from the same sockets already, so there is no hurry; otherwise somebody waits for the end.</param>
    public async Task DrainAsync(TimeSpan most, bool handedOver = false)
    {
        await _listeners.DrainAsync(most, handedOver ? DrainReason.HandedOver : DrainReason.ProcessEnds);
        var started = _clock.Time.GetTimestamp();
        while (_clock.Time.GetElapsedTime(started) < most && await _listeners.IsBusyAsync())
            await Task.Delay(DrainLook, _clock.Time);
        // Whoever was told closes as well; a client that does not look at its idle connections is not waited for.
        started = _clock.Time.GetTimestamp();
        while (_clock.Time.GetElapsedTime(started) < LastWords && await _listeners.ConnectionsAsync() > 0)
            await Task.Delay(DrainLook, _clock.Time);
    }

    internal IReadOnlyList<LoopServices> Loops => _loops;

    /// <summary>Records that the log, or whoever watches, could not take in time.</summary>
    internal long DroppedRecords => _access.Dropped;

    /// <summary>Tells of every request that ends, logged or not; by the log's thread, which waits for it. Once, before there are any.</summary>
    internal void Watch(AccessSeen watcher)
    {
        foreach (var loop in _loops)
            loop.Access.IsWatched = true;
        Volatile.Write(ref _watcher, watcher);
    }

    internal ProxyNames Names => _names;

    internal FrozenDictionary<string, Upstream.Clusters.Cluster> Clusters => _clusters.Clusters;

    /// <summary>Bytes that the loops have allocated since they started: what a budget is held against.</summary>
    internal long AllocatedBytes => _loops.Sum(loop => loop.Loop.AllocatedBytes);

    internal EventLoop Loop(int number) => _loops[number].Loop;

    /// <summary>Pools of connections to endpoints, of all loops.</summary>
    internal async Task<int> PoolsAsync()
    {
        var count = 0;
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(() => count += ((Upstreams)loop.Upstreams).Pools);
        return count;
    }

    /// <summary>Bytes of the buffers that the connections of all loops hold now.</summary>
    internal long BufferedBytes => _loops.Sum(loop => loop.Loop.Buffers.InUse);

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        _watching?.Dispose();
        await _listeners.CloseAsync();
        _maintaining.Dispose();
        _recording.Dispose();
        _access.Write();
        await _spans.DisposeAsync();
        await _meshSpans.DisposeAsync();
        await _clusters.DisposeAsync();
        await _loops[0].Loop.PostAsync(_streams.Close);
        // A loop that has stopped closes nothing any more: endpoints would hold on to connections that nobody uses.
        foreach (var loop in _loops)
        {
            await loop.Loop.PostAsync(() => ((Upstreams)loop.Upstreams).Keep(_ => false));
            loop.Loop.Dispose();
        }

        _tls.Dispose();
        _services.Dispose();
        _gate.Dispose();
    }

    // What can be wrong is found before anything is changed.
    private TlsContexts.Prepared Prepare(ProxyConfig config, out FilterNeeds needs, out SpanExport.Settings? spans)
    {
        if (ConfigValidator.Validate(config) is { Count: > 0 } errors)
            throw new ProxyConfigException([.. errors.Select(error => $"{error.Path}: {error.Message}")]);
        if (Unsupported.Of(config).ToList() is { Count: > 0 } unsupported)
            throw new ProxyConfigException(unsupported);
        needs = _services.Prepare(config);
        spans = SpanExport.Prepare(config);
        var tls = _tls.Prepare(config);
        if (tls.Errors.Count == 0)
            return tls;
        tls.Discard();
        throw new ProxyConfigException(tls.Errors);
    }

    private IReadOnlyDictionary<string, ListenerSet.Bound> Bind(ProxyConfig config, TlsContexts.Prepared tls)
    {
        try
        {
            return _listeners.Bind(config);
        }
        catch (ProxyConfigException)
        {
            tls.Discard();
            throw;
        }
    }

    private async Task ForgetPoolsAsync()
    {
        var stay = new HashSet<Upstream.Clusters.UpstreamEndpoint>();
        foreach (var cluster in _clusters.Clusters.Values)
            stay.UnionWith(cluster.Describe().Select(one => one.Endpoint).Concat(cluster.Originals?.All ?? []));
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(() => ((Upstreams)loop.Upstreams).Keep(stay.Contains));
    }

    /// <summary>What the listeners of one configuration serve by.</summary>
    private sealed class Views(ProxyEngine engine, ProxyConfig config, TlsContexts.Prepared tls, LogTemplate? template) : IViews
    {
        private readonly Dictionary<string, RouteTableConfig> _tables = config.RouteTables.ToDictionary(table => table.Name);
        private Rng _rng = new(engine._clusterSeed);

        public HttpView Http(ListenerConfig listener)
        {
            var table = listener.RouteTable is { } name ? _tables[name] : new RouteTableConfig();
            return new HttpView(
                listener, engine._names.Texts.Intern(listener.Name), RouteTable.Compile(table, listener, engine._filters), new EdgeStage(listener.Http, names: TlsNames.Of(listener.Tls)), engine._clusters.Clusters,
                config.Tracing is { } tracing ? new TracingSettings((int)(tracing.Fraction * 1_000_000), tracing.FollowCaller) : null, config.AccessLog.Enabled, config.AccessLog.Fraction,
                template?.Fields is { IsEmpty: false } fields ? fields : null);
        }

        public TcpView Tcp(ListenerConfig listener) => new(listener, new ConnectionTable(listener, Next), engine._clusters.Clusters, TcpView.PoliciesOf(listener));

        public TlsServerContext? Tls(ListenerConfig listener) => tls.Listener(listener.Name);

        // Connections are few, and all loops may ask.
        private ulong Next()
        {
            lock (_tables)
                return _rng.Next();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "serving {Listeners} listeners, {Tables} route tables, {Clusters} clusters", EventName = nameof(Applied))]
        public static partial void Applied(ILogger logger, int listeners, int tables, int clusters);

        [LoggerMessage(LogLevel.Error, "a defect in a loop; its connection was closed", EventName = nameof(Defect))]
        public static partial void Defect(ILogger logger, Exception defect);

        [LoggerMessage(LogLevel.Error, "a defect in what is done beside the loops; it is tried again", EventName = nameof(DefectBeside))]
        public static partial void DefectBeside(ILogger logger, Exception defect);
    }
}
