using System.Collections.Frozen;
using Weft.Balancing;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>What is different for an engine that serves a mesh. All of it was judged, part by part.</summary>
internal sealed record MeshChange
{
    public required IMeshPaths Paths { get; init; }

    public IReadOnlyList<MeshCluster> Clusters { get; init; } = [];

    public IReadOnlyList<string> GoneClusters { get; init; } = [];

    /// <summary>All that have TLS of their own.</summary>
    public IReadOnlyList<MeshCluster> TlsClusters { get; init; } = [];

    /// <summary>Null: listeners of the front door are as they were. Without their tables.</summary>
    public ProxyConfig? Door { get; init; }

    /// <summary>Tables that are different: also others than the front door's.</summary>
    public IReadOnlyList<TableChange> Tables { get; init; } = [];

    /// <summary>Each table as it is now.</summary>
    public required Func<string, JoinedTable> TableOf { get; init; }

    /// <summary>Null: as it was.</summary>
    public TelemetryUnit? Telemetry { get; init; }

    /// <summary>Null: as they were.</summary>
    public ValueList<JwtProviderConfig>? JwtProviders { get; init; }
}

/// <summary>The engine in a mesh: a change costs what it touches, and a part that does not work leaves the others alone.</summary>
public sealed partial class ProxyEngine
{
    private readonly Dictionary<string, DoorRoutes> _doorRoutes = [];
    private readonly TelemetryCell _doorTelemetry = new();
    private TlsContexts.Prepared? _meshTls;
    private FilterNeeds? _meshNeeds;
    private IMeshPaths? _meshPaths;
    private ProxyConfig _door = ProxyConfig.Empty;
    private bool _isDoorWhole = true;

    /// <summary>What was taken out of use and is still busy.</summary>
    internal WithdrawnEndpoints Withdrawn { get; } = new();

    /// <summary>What filters are made with, since the last change.</summary>
    internal FilterNeeds MeshNeeds => _meshNeeds ??= _services.Prepare(ProxyConfig.Empty);

    /// <summary>Serves by this from now on.</summary>
    /// <returns>What does not work here: it is left out, and nothing passes by it.</returns>
    internal async Task<IReadOnlyList<Rejection>> ApplyMeshAsync(MeshChange change)
    {
        var rejected = new List<Rejection>();
        await _gate.WaitAsync();
        try
        {
            Volatile.Write(ref _meshPaths, change.Paths);
            if (change.Telemetry is { } telemetry)
            {
                // A client of the door decides nothing about what is sampled.
                var told = telemetry.Door ?? new WorkloadTelemetry();
                _doorTelemetry.Publish(told.Server, new SpanResource(DoorNames.Workload, DoorNames.Namespace, "", ""), isClient: false, trustDecision: false, _names);
                _meshSpans.Use(telemetry.Collectors);
            }

            if (change.JwtProviders is { } providers)
                _meshNeeds = _services.Prepare(new ProxyConfig { JwtProviders = providers }, isOfMany: true);
            var door = change.Door ?? _door;
            var broken = new HashSet<(bool IsListener, string Name)>();
            if (change.Door is not null || change.Clusters.Any(cluster => cluster.Config.Tls is not null))
            {
                var tls = door with
                {
                    Clusters = change.TlsClusters.Select(cluster => cluster.Config).ToValueList(),
                    Certificates = door.Certificates.Concat(change.TlsClusters.Select(cluster => cluster.Certificate).OfType<CertificateConfig>()).DistinctBy(certificate => certificate.Name).ToValueList(),
                };
                _meshTls = _tls.PrepareEach(tls, (isListener, name, error) =>
                {
                    broken.Add((isListener, name));
                    rejected.Add(new Rejection(new UnitKey(isListener ? UnitKind.Listener : UnitKind.Cluster, name), "tls", error));
                });
            }

            var before = Clusters;
            await ChangeClustersAsync(change, cluster => broken.Contains((false, cluster)));
            var changed = ChangeRoutes(change);
            if (change.Door is not null)
                await OpenDoorAsync(door with { Listeners = door.Listeners.Where(listener => !broken.Contains((true, listener.Name))).ToValueList() }, change.TableOf, rejected);
            else if ((!_isDoorWhole || !ReferenceEquals(before, Clusters)) && _door.Listeners.Count > 0)
                await OpenDoorAsync(_door, change.TableOf, rejected);
            else
                PublishRoutes(changed);
            _meshTls?.Commit();
            _isDoorWhole = true;
            return rejected;
        }
        catch
        {
            // The differences of this step do not come again: the next one makes and publishes all routes of the door anew.
            _isDoorWhole = false;
            _doorRoutes.Clear();
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task ChangeClustersAsync(MeshChange change, Predicate<string> isBroken)
    {
        if (change.Clusters.Count == 0 && change.GoneClusters.Count == 0)
            return;
        var before = new Dictionary<UpstreamEndpoint, bool>(); // and whether it drained
        foreach (var name in change.Clusters.Select(cluster => cluster.Config.Name).Concat(change.GoneClusters))
        {
            if (!_clusters.Clusters.TryGetValue(name, out var cluster))
                continue;
            foreach (var endpoint in EndpointsOf(cluster))
                before[endpoint] = endpoint.Config.Draining;
        }

        var byName = change.Clusters.ToDictionary(cluster => cluster.Config.Name);
        await _clusters.ChangeAsync(
            [.. change.Clusters.Select(cluster => isBroken(cluster.Config.Name) ? cluster.Config with { Endpoints = [], Dns = null, Tls = null } : cluster.Config)],
            change.GoneClusters, name => byName[name].Here,
            cluster => ConnectWay.Of(cluster, cluster.Tls is null ? null : _meshTls?.Cluster(cluster.Name)) with { Paths = change.Paths, MeshTls = byName[cluster.Name].Tls },
            name => byName[name].OriginalAddress);
        var after = byName.Keys.SelectMany(name => EndpointsOf(_clusters.Clusters[name])).ToHashSet();
        var withdrawn = before.Where(pair => !after.Contains(pair.Key) || (pair.Key.Config.Draining && !pair.Value)).Select(pair => pair.Key).ToHashSet();
        if (withdrawn.Count == 0)
            return;
        // What a loop has chosen before is counted when this has passed it; later it finds the new tables. Idle connections to one that drains are closed too: it is to end.
        await Task.WhenAll(_loops.Select(loop => loop.Loop.PostAsync(() => ((Upstream.Upstreams)loop.Upstreams).Keep(endpoint => !withdrawn.Contains(endpoint)))));
        foreach (var endpoint in withdrawn)
            Withdrawn.Add(endpoint, isGone: !after.Contains(endpoint));
    }

    private static IEnumerable<UpstreamEndpoint> EndpointsOf(Cluster cluster) => cluster.Describe().Select(one => one.Endpoint).Concat(cluster.Originals?.All ?? []);

    // What listeners serve by is told when everything else of the step is there.
    private List<ListenerConfig> ChangeRoutes(MeshChange change)
    {
        var changed = new List<ListenerConfig>();
        foreach (var table in change.Tables)
        {
            foreach (var listener in _door.Listeners.Where(listener => listener.RouteTable == table.Table.Name))
            {
                // Taken out meanwhile: what a defect has left half changed is made anew with the next change.
                if (_doorRoutes.Remove(listener.Name, out var routes))
                    routes.Change(table);
                else
                    routes = new DoorRoutes(table.Table, listener, MeshNeeds, null);
                _doorRoutes.Add(listener.Name, routes);
                changed.Add(listener);
            }
        }

        return changed;
    }

    private void PublishRoutes(List<ListenerConfig> changed)
    {
        foreach (var listener in changed)
            _listeners.Publish(listener, view => view with { Routes = _doorRoutes[listener.Name].Table });
    }

    // One address that cannot be had does not keep the others from being listened on.
    private async Task OpenDoorAsync(ProxyConfig door, Func<string, JoinedTable> tableOf, List<Rejection> rejected)
    {
        var bound = new Dictionary<string, ListenerSet.Bound>();
        var listeners = new List<ListenerConfig>();
        foreach (var listener in door.Listeners)
        {
            try
            {
                foreach (var (name, sockets) in _listeners.Bind(new ProxyConfig { Listeners = [listener] }))
                    bound.Add(name, sockets);
                listeners.Add(listener);
            }
            catch (ProxyConfigException taken)
            {
                rejected.Add(new Rejection(new UnitKey(UnitKind.Listener, listener.Name), "listener.port", string.Join("; ", taken.Errors)));
            }
        }

        _door = door;
        foreach (var name in _doorRoutes.Keys.Except(listeners.Select(listener => listener.Name)).ToList())
            _doorRoutes.Remove(name);
        try
        {
            await _listeners.ApplyAsync(door with { Listeners = listeners.ToValueList() }, bound, new DoorViews(this, tableOf));
        }
        catch
        {
            _listeners.GiveUp(bound);
            throw;
        }
    }

    /// <summary>What the listeners of the front door serve by.</summary>
    private sealed class DoorViews(ProxyEngine engine, Func<string, JoinedTable> tableOf) : IViews
    {
        private readonly Lock _choosing = new();
        private Rng _rng = new(engine._clusterSeed);

        public HttpView Http(ListenerConfig listener) =>
            new(listener, engine._names.Texts.Intern(listener.Name), Routes(listener), new EdgeStage(listener.Http, names: TlsNames.Of(listener.Tls)), engine.Clusters, null, Recorded: true, RecordedFraction: 1, Telemetry: engine._doorTelemetry);

        public TcpView Tcp(ListenerConfig listener) => new(listener, new ConnectionTable(listener, Next), engine.Clusters, TcpView.PoliciesOf(listener));

        public TlsServerContext? Tls(ListenerConfig listener) => listener.Tls is null ? null : engine._meshTls?.Listener(listener.Name);

        // Nothing of it is made anew as long as it says the same: there are thousands of hosts.
        private RouteTable Routes(ListenerConfig listener)
        {
            var before = engine._doorRoutes.GetValueOrDefault(listener.Name);
            if (before is null || !before.AreOf(listener, engine.MeshNeeds))
                engine._doorRoutes[listener.Name] = before = new DoorRoutes(tableOf(listener.RouteTable ?? ""), listener, engine.MeshNeeds, before);
            return before.Table;
        }

        private ulong Next()
        {
            lock (_choosing)
                return _rng.Next();
        }
    }
}
