using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Weft.Balancing;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Runtime;
using Weft.Proxy.Telemetry.Workloads;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>
/// What the fronts of all loops serve by. Routes of a port are compiled when somebody on this node calls it first, and again when they change: most nodes call few of a mesh's hosts. The rules of
/// this node's own workloads are compiled at once.
/// </summary>
/// <param name="node">This one's name; empty: all workloads are its own.</param>
internal sealed class MeshServing(ProxyEngine engine, MeshState state, string node, string trustDomain, ILocalWorkloads local, ulong seed)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<(string Host, int Port), OutboundPort> _ports = new();
    private readonly ConcurrentDictionary<string, InboundRules> _rules = new();
    private readonly ConcurrentDictionary<IPAddress, KnownSource> _sources = new();
    private readonly ConcurrentDictionary<string, (TelemetryCell Client, TelemetryCell Server)> _telemetry = new();
    private readonly ConcurrentDictionary<(int Port, bool Restricted), HttpListenerState> _named = new();
    private readonly ConcurrentDictionary<string, (ImmutableArray<DialledHost> Hosts, HttpListenerState Http)> _shared = new();
    private readonly Dictionary<string, FilterFactory> _factories = [];

    // Of the last step, under the gate: the state itself is for whoever applies.
    private readonly Dictionary<string, MeshHost> _hosts = [];
    private readonly Dictionary<string, JoinedTable> _tables = [];
    private readonly EdgeStage _outboundEdge = new(MeshListeners.Outbound.Http, passes: true), _inboundEdge = new(MeshListeners.Inbound.Http, passes: true);
    private readonly HashSet<IPAddress> _revoked = [];
    private MeshView _view = MeshView.Empty;
    private Rng _rng = new(seed);

    public MeshView View => Volatile.Read(ref _view);

    public FrozenDictionary<string, Cluster> Clusters => engine.Clusters;

    /// <summary>Who may send from this address; null: nobody that is known here.</summary>
    public MeshSource? SourceOf(IPAddress address)
    {
        var registered = local.Find(address);
        var view = View;
        var workload = view.WorkloadOf(address, registered);
        if (registered is null && (workload is null || (node.Length > 0 && workload.Unit.Node != node)))
        {
            _sources.TryRemove(address, out _);
            return null;
        }

        // Of one that is registered and not known otherwise it is not known what it may call: where anybody is restricted, it is, too, until then.
        var restricted = workload?.Unit.KnownHostsOnly ?? view.Restricted > 0;
        if (_sources.TryGetValue(address, out var known) && known.Registered == registered && ReferenceEquals(known.Workload, workload) && known.Source.KnownHostsOnly == restricted)
            return known.Source;
        var who = registered ?? new LocalWorkload("", workload!.Unit.Namespace, workload.Name, workload.Unit.ServiceAccount, workload.Unit.Labels);
        var identity = workload is null ? $"spiffe://{trustDomain}/ns/{who.Namespace}/sa/{who.ServiceAccount}" : workload.Unit.Identity;
        var source = new MeshSource(address, who, identity, restricted) { Telemetry = TelemetryOf($"{who.Namespace}/{who.Name}").Client };
        _sources[address] = new KnownSource(registered, workload, source);
        return source;
    }

    /// <summary>What a workload of this node tells, as it sends and as it is called. Stays the same while the workload stays.</summary>
    public (TelemetryCell Client, TelemetryCell Server) TelemetryOf(string workload) => _telemetry.GetOrAdd(workload, static _ => (new TelemetryCell(), new TelemetryCell()));

    /// <summary>Who comes from this address, for records; not to be believed.</summary>
    public MeshSource? SeenAs(IPAddress address, string? identity)
    {
        var workload = View.WorkloadOf(address, local.Find(address));
        return workload is null ? null : new MeshSource(address, new LocalWorkload("", workload.Unit.Namespace, workload.Name, workload.Unit.ServiceAccount, workload.Unit.Labels), identity);
    }

    public MeshWorkload? WorkloadOf(IPAddress address) => View.WorkloadOf(address, local.Find(address));

    /// <summary>A pod of this node of which the configuration does not say anything yet.</summary>
    public bool IsStillUnknown(IPAddress address) => local.Find(address) is { } registered && (View.WorkloadOf(address, registered) is not { } workload || RulesOf(workload) is null);

    /// <summary>Null: the workload is not of this node.</summary>
    public InboundRules? RulesOf(MeshWorkload workload) => _rules.GetValueOrDefault(workload.Key);

    public OutboundPort? PortOf(MeshHost host, int port) => PortOf(host.Name, port);

    private OutboundPort? PortOf(string host, int port)
    {
        if (_ports.TryGetValue((host, port), out var known))
            return known;
        lock (_gate)
        {
            // The newest: the view that the caller has read may have been replaced meanwhile.
            return _hosts.TryGetValue(host, out var newest) && newest.Port(port) is { } unit ? _ports.GetOrAdd((host, port), _ => Open(newest, unit, null)) : null;
        }
    }

    /// <summary>Of an endpoint that one or several headless services have; null: none of them is there any more.</summary>
    public OutboundPort? PortOf(ImmutableArray<DialledHost> dialled)
    {
        var found = dialled.Select(one => PortOf(one.Name, one.Port)).OfType<OutboundPort>().ToList();
        // Where one of them says that the endpoint speaks no HTTP, nothing is read.
        if (found.Count < 2 || found.Exists(port => port.Http is null))
            return found.Find(port => port.Http is null) ?? found.FirstOrDefault();
        // Whom a request is for says its host then.
        var key = string.Join(' ', dialled.Select(one => $"{one.Name}:{one.Port}"));
        if (!_shared.TryGetValue(key, out var shared))
        {
            lock (_gate)
                shared = _shared.GetOrAdd(key, _ => (dialled, new HttpListenerState(Shared(key, dialled))));
        }

        return found[0] with { Http = shared.Http };
    }

    /// <summary>Requests to hosts that are found by name; null: there are none on the port.</summary>
    /// <param name="restricted">Other hosts are not there.</param>
    public HttpListenerState? NamedPort(int port, bool restricted)
    {
        if (_named.TryGetValue((port, restricted), out var known))
            return known;
        lock (_gate)
            return View.Named.ContainsKey(port) ? _named.GetOrAdd((port, restricted), at => new HttpListenerState(Named(at.Port, at.Restricted))) : null;
    }

    /// <summary>Of a step that the state and the engine have taken.</summary>
    /// <param name="revoked">Addresses of workloads that may refuse now what they were open for: what was let through to them is to end.</param>
    /// <param name="renamed">There are clusters that were not there before, or no more.</param>
    public void Apply(MeshStep step, bool renamed, out IReadOnlySet<IPAddress> revoked)
    {
        lock (_gate)
        {
            Volatile.Write(ref _view, state.View);
            var tables = new HashSet<string>(step.Tables.Count);
            foreach (var (table, _, _) in step.Tables)
            {
                tables.Add(table.Name);
                if (table.Units.IsEmpty)
                    _tables.Remove(table.Name);
                else
                    _tables[table.Name] = table;
            }

            foreach (var key in step.Workloads)
                RenewRules(key);
            foreach (var host in step.Hosts)
                RenewHost(host);
            foreach (var (at, port) in _ports.Where(pair => pair.Value.Port.Routes is { } table && tables.Contains(table)))
                port.Http!.Publish(Outbound(port.Port.Routes!));
            foreach (var (at, http) in _named.Where(pair => step.Hosts.Count > 0 || NamedHosts(pair.Key.Port).Any(host => tables.Contains(host.Port(pair.Key.Port)!.Routes!))))
                http.Publish(Named(at.Port, at.Restricted));
            foreach (var (key, (_, http)) in _shared.Where(pair => step.Hosts.Count > 0 && !pair.Value.Hosts.All(one => _hosts.ContainsKey(one.Name))))
            {
                http.Publish(Shared(key, []));
                _shared.TryRemove(key, out _);
                _factories.Remove("dialled " + key);
            }

            foreach (var (key, (hosts, http)) in _shared.Where(pair => step.Hosts.Count > 0 || pair.Value.Hosts.Any(one => _hosts.GetValueOrDefault(one.Name)?.Port(one.Port)?.Routes is { } table && tables.Contains(table))))
                http.Publish(Shared(key, hosts));
            if (renamed)
                Republish();
            revoked = _revoked.Count == 0 ? FrozenSet<IPAddress>.Empty : _revoked.ToFrozenSet();
            _revoked.Clear();
        }
    }

    private void RenewRules(string key)
    {
        if (!state.Workloads.TryGetValue(key, out var workload) || (node.Length > 0 && workload.Unit.Node != node))
        {
            if (_telemetry.TryRemove(key, out var told))
            {
                told.Client.End(engine.Names);
                told.Server.End(engine.Names);
            }

            // Whoever has the address next has rules of its own.
            if (_rules.TryRemove(key, out var gone))
                _revoked.UnionWith(gone.Addresses);
            _factories.Remove(FactoryKey(key, MeshClusters.Inbound));
            _factories.Remove(FactoryKey(key, MeshClusters.InboundHttp2));
            return;
        }

        RenewTelemetry(key, workload);
        var filters = state.Filters(workload.Unit.Policies, workload.Unit.Tokens);
        var (one, two) = (Inbound(key, filters, MeshClusters.Inbound), Inbound(key, filters, MeshClusters.InboundHttp2));
        var policies = Connections.PoliciesOf(filters);
        var before = _rules.GetValueOrDefault(key);
        before?.Http1.Publish(one);
        before?.Http2.Publish(two);
        var rules = new InboundRules(
            workload, filters, policies.IsEmpty ? null : new PolicySet(policies), Connections.NeedRequests(filters), before?.Http1 ?? new HttpListenerState(one), before?.Http2 ?? new HttpListenerState(two));
        _rules[key] = rules;
        if (before is null)
            return;
        _revoked.UnionWith(rules.MayRefuseMoreThan(before) ? before.Addresses.Concat(rules.Addresses) : before.Addresses.Except(rules.Addresses));
    }

    private void RenewTelemetry(string key, MeshWorkload workload)
    {
        var (client, server) = TelemetryOf(key);
        var told = workload.Unit.Telemetry ?? new WorkloadTelemetry();
        var resource = new SpanResource(WorkloadNames.CanonicalName(workload.Name, workload.Unit.Labels), workload.Unit.Namespace, workload.Name, node);
        client.Publish(told.Client, resource, isClient: true, trustDecision: true, engine.Names);
        server.Publish(told.Server, resource, isClient: false, trustDecision: true, engine.Names);
    }

    private static string FactoryKey(string workload, string cluster) => $"workload {workload} {cluster}";

    private HttpView Inbound(string key, ValueList<FilterConfig> filters, string cluster)
    {
        var listener = MeshListeners.Inbound with { Filters = filters, DefaultCluster = cluster };
        return ViewOf(listener, Compile(FactoryKey(key, cluster), new RouteTableConfig { Name = key }, listener), _inboundEdge);
    }

    private void RenewHost(string name)
    {
        if (state.Hosts.TryGetValue(name, out var host))
            _hosts[name] = host;
        else
            _hosts.Remove(name);
        foreach (var (at, before) in _ports.Where(pair => pair.Key.Host == name))
        {
            if (host?.Port(at.Port) is { } unit)
            {
                _ports[at] = Open(host, unit, before);
                continue;
            }

            _ports.TryRemove(at, out _);
            before.Http?.Publish(ViewOf(MeshListeners.Outbound, RouteTable.Compile(new RouteTableConfig(), MeshListeners.Outbound, new FilterFactory(FilterKinds.WithoutServices)), _outboundEdge));
        }
    }

    private OutboundPort Open(MeshHost host, Config.Units.DestinationPort port, OutboundPort? before)
    {
        var connections = before is not null && before.Port.Connections == port.Connections
            ? before.Connections
            : new ConnectionTable(new ListenerConfig { ConnectionRoutes = port.Connections }, Next);
        var http = port.Routes is null ? null : before?.Http;
        if (port.Routes is { } table && http is null)
            http = new HttpListenerState(Outbound(table));
        else if (http is not null && before!.Port.Routes != port.Routes)
            http.Publish(Outbound(port.Routes!));
        return new OutboundPort(host, port, connections, http);
    }

    private HttpView Outbound(string table) => ViewOf(MeshListeners.Outbound, Compile("table " + table, TableOf(table), MeshListeners.Outbound), _outboundEdge);

    private HttpView Named(int port, bool restricted)
    {
        var table = new RouteTableConfig
        {
            Name = $"named:{port}",
            Hosts = NamedHosts(port).SelectMany(host => TableOf(host.Port(port)!.Routes!).Hosts.Select(one => one with { Name = host.Name, Domains = [host.Name, $"{host.Name}:{port}"] })).DistinctBy(host => host.Name).ToValueList(),
        };
        var listener = MeshListeners.Outbound with { DefaultCluster = restricted ? null : MeshClusters.Passthrough };
        return ViewOf(listener, Compile($"named {port} {restricted}", table, listener), _outboundEdge);
    }

    private IEnumerable<MeshHost> NamedHosts(int port) => View.Named.GetValueOrDefault(port)?.Values.Where(host => host.Port(port)?.Routes is not null) ?? [];

    // What one of them takes by name, and what none does: that goes to the endpoint itself, by the first one's settings.
    private HttpView Shared(string key, ImmutableArray<DialledHost> dialled)
    {
        var (hosts, taken) = (new List<VirtualHostConfig>(), new HashSet<string>());
        foreach (var one in dialled.SelectMany(one => _hosts.GetValueOrDefault(one.Name)?.Port(one.Port)?.Routes is { } table ? TableOf(table).Hosts.AsEnumerable() : []))
        {
            if (one.Domains.Where(taken.Add).ToValueList() is { IsEmpty: false } domains)
                hosts.Add(one with { Domains = domains });
        }

        return ViewOf(MeshListeners.Outbound, Compile("dialled " + key, new RouteTableConfig { Name = "dialled " + key, Hosts = hosts.ToValueList() }, MeshListeners.Outbound), _outboundEdge);
    }

    private RouteTableConfig TableOf(string name) => (_tables.GetValueOrDefault(name) ?? JoinedTable.Empty(name)).Whole;

    // What filters of before have gathered (buckets, caches) goes on.
    private RouteTable Compile(string key, RouteTableConfig table, ListenerConfig listener)
    {
        var factory = new FilterFactory(FilterKinds.With(engine.MeshNeeds), _factories.GetValueOrDefault(key));
        var routes = RouteTable.Compile(table, listener, factory);
        _factories[key] = factory;
        return routes;
    }

    private HttpView ViewOf(ListenerConfig listener, RouteTable routes, EdgeStage edge) =>
        new(listener, engine.Names.Texts.Intern(listener.Name), routes, edge, engine.Clusters, null, Recorded: true, RecordedFraction: 1);

    private void Republish()
    {
        foreach (var http in _ports.Values.Select(port => port.Http).Concat(_named.Values).Concat(_shared.Values.Select(shared => shared.Http)).Concat(_rules.Values.SelectMany(rules => new[] { rules.Http1, rules.Http2 })).OfType<HttpListenerState>())
            http.Publish(http.Current with { Clusters = engine.Clusters });
    }

    // Connections are few, and all loops may ask.
    private ulong Next()
    {
        lock (_sources)
            return _rng.Next();
    }

    private sealed record KnownSource(LocalWorkload? Registered, MeshWorkload? Workload, MeshSource Source);
}
