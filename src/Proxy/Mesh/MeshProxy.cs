using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Mesh.Fronts;
using Weft.Proxy.Mesh.Inspection;
using Weft.Proxy.Mesh.Inspection.Explaining;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.Requests;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Runtime;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Mesh;

/// <summary>
/// The mesh's data plane on one node: takes over units of the configuration, and serves what pods send, what comes to them, and the front door by the newest.
/// </summary>
public sealed partial class MeshProxy : IUnitConsumer, IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private readonly MeshProxyOptions _options;
    private readonly ProxyEngine _engine;
    private readonly MeshState _state;
    private readonly MeshServing _serving;
    private readonly MeshPaths _paths;
    private readonly MeshLoop[] _loops;
    private readonly ILocalWorkloads _local;
    private readonly RequestTotals _requests;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _applying = new();
    private readonly InspectionServer? _inspection;
    private readonly TaskCompletionSource _configured = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MeshNode? _node;
    private bool _started, _disposed;

    /// <param name="local">Null: workloads are known by the configuration alone.</param>
    /// <param name="connector">Null: between nodes everything goes in plaintext.</param>
    internal MeshProxy(MeshProxyOptions options, ILocalWorkloads? local, IMeshConnector? connector, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_options, _time, _logger) = (options, time, loggers.CreateLogger<MeshProxy>());
        _engine = new ProxyEngine(options.Loops, options.AccessLog, time, random, loggers, options.Inherited, options.Mark);
        _state = new MeshState(options.Node);
        _local = local ??= new NoLocalWorkloads();
        _serving = new MeshServing(_engine, _state, options.Node, options.TrustDomain, local, (ulong)random.NextInt64());
        var door = new LocalWorkload("", DoorNames.Namespace, DoorNames.Workload, DoorNames.ServiceAccount, default);
        var source = new MeshSource(null, door, $"spiffe://{options.TrustDomain}/ns/{door.Namespace}/sa/{door.ServiceAccount}");
        var limits = new OffLimits(options.Outbound.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Address).Concat(options.DoorAddress is { } own ? [own] : []), options.LoopbackPods, options.ClusterRanges);
        _paths = new MeshPaths(options.Node, source, local, connector, limits, () => _serving.View, AcceptInbound, options.IsOwnAddress, () => _state.View, options.BalancerPool);
        _loops = [.. _engine.Loops.Select(loop => new MeshLoop(loop, _serving, limits))];
        _requests = new RequestTotals(() => _engine.Clusters.Values.SelectMany(cluster => cluster.Describe().Select(one => one.Endpoint).Concat(cluster.Originals?.All ?? [])));
        Journal = new RequestJournal(new RequestObserver(_engine.Names.Texts, options.Node, () => _serving.View), () => _engine.DroppedRecords);
        _engine.Watch(Journal.Offer);
        if (options.Inspection is { } socket)
            _inspection = new InspectionServer(socket, new InspectionParts(options.Node, Journal, WriteMetrics, Explain), time, loggers.CreateLogger<InspectionServer>());
    }

    public static MeshProxy Create(MeshProxyOptions options, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        if (options.StateDirectory is null)
            return new(options, null, null, time, random, loggers);
        var node = new MeshNode(options, time, random, loggers);
        var proxy = new MeshProxy(options, node.Workloads, node.Connector, time, random, loggers) { _node = node };
        node.Requests = proxy._requests.Read;
        return proxy;
    }

    /// <summary>Captured connections are accepted, by a configuration.</summary>
    public bool IsReady => Volatile.Read(ref _started);

    /// <summary>Ends with the first step of the configuration.</summary>
    public Task Configured => _configured.Task;

    /// <summary>Addresses of the front door's listeners by their names.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> DoorAddresses => _engine.Addresses;

    /// <summary>For whoever brings connections to the inbound side: streams of other nodes.</summary>
    internal IReadOnlyList<MeshLoop> Loops => _loops;

    internal RequestTotals Requests => _requests;

    /// <summary>Addresses of endpoints that get no more requests, and still answer earlier ones.</summary>
    public IReadOnlySet<string> Draining => _engine.Withdrawn.Busy();

    internal MeshState State => _state;

    internal RequestJournal Journal { get; }

    internal ProxyEngine Engine => _engine;

    /// <summary>Of the pod of this node that is captured and has the address; null: there is none.</summary>
    public string? NamespaceOf(IPAddress address) => _local.Find(address.Plain())?.Namespace;

    /// <summary>Begins to accept. What has come before waits in the sockets: a configuration that was applied first is the one that it is served by.</summary>
    public async Task StartAsync()
    {
        if (SocketCalls.RefusalOf(_options.Mark) is { } refusal)
            Log.Refused(_logger, refusal);
        if (_options.ClusterRanges.Count == 0)
            Log.NoRanges(_logger);
        for (var i = 0; i < _loops.Length; i++)
        {
            var number = i;
            // All sockets of a group are somebody's: the kernel spreads connections over them whether anybody accepts or not.
            await _loops[i].Loop.PostAsync(() => _loops[number].Listen(Own(_options.Outbound, number), Own(_options.Inbound, number)));
        }

        if (_node is not null)
            await _node.ListenAsync(_loops, address => _serving.View.WorkloadOf(address.Plain(), null)?.Unit.Identity);
        Volatile.Write(ref _started, true);
        Log.Started(_logger, _loops.Length, _state.Hosts.Count, _state.Workloads.Count);
    }

    public void Check(UnitKey key, object unit) => UnitJudge.Check(key, unit);

    public IReadOnlyList<Rejection> Apply(IReadOnlyList<KeyValuePair<UnitKey, object?>> changes)
    {
        try
        {
            lock (_applying)
                return Serve(changes);
        }
        catch (Exception defect)
        {
            // A proxy that died of it would die of it again, with everything that it serves.
            Log.NotApplied(_logger, defect);
            return [.. changes.Select(change => new Rejection(change.Key, "", $"the proxy has a defect that this step brings to light: {defect.Message}"))];
        }
        finally
        {
            _configured.TrySetResult();
        }
    }

    /// <summary>As <see cref="ProxyEngine.WatchLoops"/>.</summary>
    public void WatchLoops(Action turning, Action<string> hanging, TimeSpan most) => _engine.WatchLoops(turning, hanging, most);

    /// <summary>What would become of a request, by the configuration that is served now.</summary>
    internal Explanation Explain(ExplainQuestion question)
    {
        lock (_applying)
            return new Explainer(new ExplainerParts(_state, _options.Node, _options.TrustDomain, _paths, _engine.Clusters, _options.DoorAddress)).Explain(question);
    }

    /// <summary>What a scrape of Prometheus gets.</summary>
    public void WriteMetrics(TextWriter to)
    {
        _engine.WriteMetrics(to, everyEndpoint: false);
        var text = new PrometheusText(to);
        text.Family("weft_mesh_connections_refused_total", "counter", "Captured connections that were closed: unknown senders, hosts that may not be called, policies.");
        text.Sample("weft_mesh_connections_refused_total", text.Labels([("side", "outbound")]), _loops.Sum(loop => loop.Outbound.Refused));
        text.Sample("weft_mesh_connections_refused_total", text.Labels([("side", "inbound")]), _loops.Sum(loop => loop.Inbound.Refused));
    }

    /// <summary>No new connections; open ones are told with their next answer. Returns when all are gone or the time is over.</summary>
    public async Task DrainAsync(TimeSpan most)
    {
        Volatile.Write(ref _started, false);
        if (_node is not null)
            await _node.DrainAsync();
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(() => loop.Drain((long)most.TotalMilliseconds, DrainReason.HandedOver));
        var door = _engine.DrainAsync(most);
        var started = _time.GetTimestamp();
        while (_time.GetElapsedTime(started) < most && await IsBusyAsync())
            await Task.Delay(Look, _time);
        await door;
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(loop.Close);
        if (_node is not null)
            await _node.CloseAsync();
        if (_inspection is not null)
            await _inspection.DisposeAsync();
        await _engine.DisposeAsync();
        if (_node is not null)
            await _node.DisposeAsync();
    }

    private List<Rejection> Serve(IReadOnlyList<KeyValuePair<UnitKey, object?>> changes)
    {
        var step = _state.Apply(changes);
        var own = _engine.Clusters.Count == 0 ? MeshClusters.All : [];
        var left = new List<Rejection>(step.Left);
        var before = _engine.Clusters;
        var change = new MeshChange
        {
            Paths = _paths, Clusters = [.. own, .. step.Clusters], GoneClusters = step.GoneClusters,
            TlsClusters = step.Door || step.Clusters.Any(cluster => cluster.Config.Tls is not null) ? [.. _state.Clusters.Values.Where(cluster => cluster.Config.Tls is not null)] : [],
            Telemetry = step.Telemetry ? _state.Telemetry : null,
            Tables = step.Tables,
            TableOf = _state.Tables.Of,
            JwtProviders = step.Tokens ? _state.JwtProviders.ToValueList() : null,
        };
        if (step.Door)
        {
            change = change with { Door = DoorJoin.Of(_state, _options.DoorAddress?.ToString(), out var rejected) };
            left.AddRange(rejected);
        }

        // Whoever applies waits until it is served: that is what an acknowledgement says.
        Exception? failed = null;
        try
        {
            left.AddRange(_engine.ApplyMeshAsync(change).GetAwaiter().GetResult());
        }
        catch (Exception defect)
        {
            // What workloads refuse is not to wait for what the engine made of something else.
            failed = defect;
        }

        _serving.Apply(step, renamed: !ReferenceEquals(before, _engine.Clusters), out var revoked);
        // Before it is acknowledged: until then a rule is not said to hold.
        if (revoked.Count > 0)
            Task.WhenAll(_loops.Select(loop => loop.Loop.PostAsync(() => loop.Revoke(revoked)))).GetAwaiter().GetResult();
        if (failed is not null)
            throw new InvalidOperationException("the mesh could not be served in full", failed);
        return left;
    }

    private async Task<bool> IsBusyAsync()
    {
        var busy = false;
        foreach (var loop in _loops)
            await loop.Loop.PostAsync(() => busy |= loop.IsBusy);
        return busy;
    }

    private List<Socket> Own(IReadOnlyList<Socket> sockets, int loop) => [.. sockets.Where((_, at) => at % _loops.Length == loop)];

    private void AcceptInbound(EventLoop loop, int fd, IPEndPoint source, IPEndPoint destination, string? identity) =>
        Array.Find(_loops, one => one.Loop == loop)!.Inbound.Accept(fd, source, destination, identity);

    private sealed class NoLocalWorkloads : ILocalWorkloads
    {
        public LocalWorkload? Find(IPAddress address) => null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "serving the mesh with {Loops} loops: {Hosts} hosts, {Workloads} workloads")]
        public static partial void Started(ILogger logger, int loops, int hosts, int workloads);

        [LoggerMessage(LogLevel.Error, "a step of the configuration was not applied whole")]
        public static partial void NotApplied(ILogger logger, Exception defect);

        [LoggerMessage(LogLevel.Warning, "the ranges of pods, services and nodes are not known (node.json): key servers of tokens, and names, that lead there are told only where a pod or a service of the mesh has the address. The ranges are written when the node's supervisor starts anew", EventName = nameof(NoRanges))]
        public static partial void NoRanges(ILogger logger);

        [LoggerMessage(LogLevel.Error, "the kernel refuses what the mesh needs ({Refusal}): connections to pods of this node will fail; the proxy needs CAP_NET_ADMIN")]
        public static partial void Refused(ILogger logger, string refusal);
    }
}

/// <summary>As whom the front door sends.</summary>
internal static class DoorNames
{
    public const string Workload = "istio-ingressgateway";

    public static string Namespace => WorkloadAccount.FrontDoor.Namespace;

    public static string ServiceAccount => WorkloadAccount.FrontDoor.Name;

    /// <summary>Whether the host is the service by which the front door is reached from outside.</summary>
    public static bool IsService(string host) => host.Split('.', 4) is [Workload, var @namespace, "svc", _] && @namespace == Namespace;
}
