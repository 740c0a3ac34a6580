using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Node.Agent;
using Weft.Node.Network.Nftables;

namespace Weft.Node.Network.Services;

/// <summary>
/// Keeps this node's rules for services: what changes is planned again, and the difference goes to the kernel in one transaction. Changes that
/// come while one is under way go together in the next.
/// </summary>
internal sealed partial class ServiceProxy : IAsyncDisposable
{
    // How often the machine is looked at for what no watch tells: processes that listen, rules that somebody flushed.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private readonly ServiceNetwork _network;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EventRecorder _events;
    private readonly Informer<Service> _services;
    private readonly Informer<EndpointSlice> _slices;
    private readonly ObjectCache<Pod> _pods;
    private readonly CacheIndex<EndpointSlice> _slicesByService;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private readonly List<IDisposable> _subscriptions = [];
    private readonly List<Task> _running = [];
    private readonly PodLinks _links;
    private readonly MeshRules? _mesh;

    private HashSet<ObjectKey> _changedServices = [];
    private HashSet<ObjectKey> _changedPods = [];

    // Only the loop touches these.
    private readonly Dictionary<ObjectKey, ServicePlan> _plans = [];
    private readonly HashSet<(string Service, NftElement Element, string Why)> _told = [];
    private readonly NftLedger _ledger;
    private readonly NftTransactions _kernel = new(ServiceTable.TypeOf);
    private readonly Dictionary<string, int> _balancers = [];   // addresses of load balancers, and how many ports have each
    private IReadOnlySet<(string Protocol, int Port)> _busy = new HashSet<(string, int)>();
    private bool _balancersChanged = true;
    private bool _whole = true;   // the table is not known to be as the ledger says

    private ServiceProxy(ServiceNetwork network, string? meshDomain, KubeClient client, ObjectCache<Pod> pods, EventRecorder events, TimeProvider time, Random random, ILogger logger)
    {
        (_network, _pods, _events, _time, _logger) = (network, pods, events, time, logger);
        _services = new Informer<Service>(client.For<Service>(), time, random, OnWatchError);
        _slices = new Informer<EndpointSlice>(client.For<EndpointSlice>(), time, random, OnWatchError);
        _slicesByService = _slices.Cache.AddIndex(static slice => ServiceOf(slice) is { } key ? [key.ToString()] : []);
        _ledger = new NftLedger(NodeFirewall.TableName(network.ClusterName));
        _links = new PodLinks(network.PodCidr);
        _mesh = meshDomain is null ? null : new MeshRules(client, meshDomain, time, random, OnWatchError);

        void OnWatchError(ApiResource resource, Exception error)
        {
            if (!_stop.IsCancellationRequested)
                Log.WatchFailed(_logger, resource.ToString(), error.Message);
        }
    }

    /// <summary>The services of all namespaces, as this node knows them.</summary>
    public ObjectCache<Service> Services => _services.Cache;

    /// <summary>Returns when the services there are have been programmed.</summary>
    /// <param name="meshDomain">Domain of service names in the mesh; null: there is none.</param>
    /// <param name="pods">Those of this node.</param>
    /// <exception cref="IOException">nft or ip is missing or refused.</exception>
    public static async Task<ServiceProxy> StartAsync(
        ServiceNetwork network, string? meshDomain, KubeClient client, ObjectCache<Pod> pods, EventRecorder events, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var proxy = new ServiceProxy(network, meshDomain, client, pods, events, time, random, loggers.CreateLogger<ServiceProxy>());
        try
        {
            await proxy.StartAsync(cancellationToken);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _running.Add(_services.RunAsync(_stop.Token));
        _running.Add(_slices.RunAsync(_stop.Token));
        await NodeAddresses.PrepareAsync(_network, cancellationToken);
        await Task.WhenAll(_services.Synced, _slices.Synced).WaitAsync(cancellationToken);
        _subscriptions.Add(_services.Cache.Subscribe(change => Changed(KeyOf(change.Current))));
        _subscriptions.Add(_slices.Cache.Subscribe(change =>
        {
            // A slice may be given to another service.
            foreach (var slice in (EndpointSlice?[])[change.Old, change.New])
            {
                if (slice is not null && ServiceOf(slice) is { } key)
                    Changed(key);
            }
        }));
        _subscriptions.Add(_pods.Subscribe(change => PodChanged(KeyOf(change.Current))));
        if (_mesh is { } mesh)
            _running.Add(mesh.RunAsync(RulesChanged, _stop.Token));
        _busy = HostListeners.Read(_network);
        await StepAsync(cancellationToken);
        await LookAsync(cancellationToken);
        _running.Add(WorkAsync(_stop.Token));
        _running.Add(WatchMachineAsync(_stop.Token));
    }

    private void Changed(ObjectKey service)
    {
        lock (_gate)
            _changedServices.Add(service);
        _signal.Writer.TryWrite(true);
    }

    private void RulesChanged(string host)
    {
        foreach (var service in _services.Cache.All().Where(service => _mesh!.Names(host, service)))
            Changed(KeyOf(service));
    }

    private void PodChanged(ObjectKey pod)
    {
        lock (_gate)
            _changedPods.Add(pod);
        _signal.Writer.TryWrite(true);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _signal.Reader.ReadAsync(cancellationToken);
                try
                {
                    await StepAsync(cancellationToken);
                }
                catch (IOException refused)
                {
                    Log.Refused(_logger, refused.Message);
                    _whole = true;
                    await Task.Delay(RetryAfter, _time, cancellationToken);
                    _signal.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The agent stops; the rules stay.
        }
    }

    /// <summary>Takes what has changed, and brings the kernel to it.</summary>
    private async Task StepAsync(CancellationToken cancellationToken)
    {
        HashSet<ObjectKey> services, pods;
        lock (_gate)
            (services, pods, _changedServices, _changedPods) = (_changedServices, _changedPods, [], []);
        var from = _time.GetTimestamp();
        var wanted = new List<(string, string, NftObjects?)>(services.Count + pods.Count);
        var stale = new HashSet<StaleFlow>();
        foreach (var key in services)
        {
            var old = _plans.GetValueOrDefault(key);
            var service = _services.Cache.Find(key);
            var plan = service is not null ? ServicePlanner.Plan(service, _slicesByService.Find(key.ToString()), _network) : null;
            stale.UnionWith(ConnectionTracking.Stale(old, plan));
            CountBalancers(plan, 1);   // before the old one: what stays is never at nothing
            CountBalancers(old, -1);
            if (plan is null)
                _plans.Remove(key);
            else
                _plans[key] = plan;
            wanted.Add((key.ToString(), (plan ?? old)?.Age ?? key.ToString(), plan is null ? null : ServiceObjects.Of(plan, _network, IsBusy, Refuses(service!, plan))));
        }
        foreach (var key in pods)
            wanted.Add(($"pod {key}", $"pod {key}", _pods.Find(key) is { } pod ? HostPortObjects.Of(pod, IsBusy) : null));

        var script = _ledger.Change(wanted);
        await SetAddressesAsync(cancellationToken);
        if (!_whole && script.Length > 0)
            await ChangeAsync(script, cancellationToken);
        if (_whole)
        {
            var table = NodeFirewall.TableName(_network.ClusterName);
            var listing = await Nft.ReadAsync(["-t", "list", "table", "ip", table], "", cancellationToken);
            script = ServiceTable.Whole(_network, ServiceTable.Names(listing), _ledger);
            await Nft.RunAsync(script, cancellationToken);
        }
        _whole = false;
        _links.AllowLocalSources();
        foreach (var flow in stale)
            await ConnectionTracking.ForgetAsync(flow, cancellationToken);
        foreach (var key in services)
            Tell(key);
        foreach (var key in pods)
            TellPorts(key);
        if (script.Length > 0)
            Log.Programmed(_logger, services.Count, script.Length, _time.GetElapsedTime(from).TotalMilliseconds);
    }

    private bool Refuses(Service service, ServicePlan plan) => _mesh is { } mesh && plan.Ports.Any(port => port.Everywhere.IsEmpty) && !mesh.MayAnswerFor(service);

    private bool IsBusy(string protocol, int port) => _busy.Contains((protocol, port));

    private async Task ChangeAsync(string script, CancellationToken cancellationToken)
    {
        try
        {
            if (await _kernel.ApplyAsync(script, cancellationToken) is { } unknown)
                Log.ByProgram(_logger, unknown);
        }
        catch (IOException refused)
        {
            // Nothing of it is in force; what is there is not what the ledger says. All anew, at once.
            Log.ChangeRefused(_logger, refused.Message);
            _whole = true;
        }
    }

    private void CountBalancers(ServicePlan? plan, int change)
    {
        foreach (var address in plan?.Ports.SelectMany(port => port.LoadBalancerIps) ?? [])
        {
            var count = _balancers[address] = _balancers.GetValueOrDefault(address) + change;
            _balancersChanged |= count == (change > 0 ? 1 : 0);
            if (count == 0)
                _balancers.Remove(address);
        }
    }

    private async Task SetAddressesAsync(CancellationToken cancellationToken)
    {
        if (!_balancersChanged)
            return;
        var pool = System.Net.IPNetwork.Parse(_network.LoadBalancerPool);
        await NodeAddresses.SetAsync(_network, _balancers.Keys.Where(address => pool.Contains(System.Net.IPAddress.Parse(address))).ToHashSet(), cancellationToken);
        _balancersChanged = false;
    }

    // A service that did not get this machine's own port: said once, until that changes.
    private void Tell(ObjectKey key)
    {
        var name = key.ToString();
        if (!_plans.TryGetValue(key, out var plan) || _services.Cache.Find(key) is not { } service)
        {
            _told.RemoveWhere(told => told.Service == name);
            return;
        }
        var lost = _ledger.Lost(name).ToDictionary(entry => entry.Element, entry => $"{entry.Holder} has it");
        foreach (var port in plan.Ports.Where(port => port.ClaimsOwnPort && _busy.Contains((port.Protocol, port.Port))))
            lost[ServiceObjects.OwnPort(port)] = "a process of this machine listens on it";
        _told.RemoveWhere(told => told.Service == name && lost.GetValueOrDefault(told.Element) != told.Why);
        foreach (var (element, why) in lost.Where(entry => entry.Key.Set is "own_ports" or "service_ips"))
        {
            if (!_told.Add((name, element, why)))
                continue;
            var what = element.Set == "own_ports" ? $"port {element.Key.Replace(" . ", "/", StringComparison.Ordinal)} of node {_network.NodeName}'s own addresses" : $"address {element.Key.Replace(" . ", ":", StringComparison.Ordinal)}";
            _events.Warning(Reference(service), "PortNotAvailable", $"The service does not get {what}: {why}. Its other addresses work.");
        }
    }

    private void TellPorts(ObjectKey key)
    {
        var name = $"pod {key}";
        var lost = _pods.Find(key) is { } pod ? HostPortObjects.Ports(pod).Where(_busy.Contains).ToHashSet() : [];
        _told.RemoveWhere(told => told.Service == name && !lost.Any(port => Port(port) == told.Element));
        foreach (var port in lost.Where(port => _told.Add((name, Port(port), ""))))
        {
            _events.Warning(
                new() { Kind = "Pod", ApiVersion = "v1", Namespace = key.Namespace, Name = key.Name, Uid = _pods.Find(key)?.Metadata.Uid }, "PortNotAvailable",
                $"The pod does not get port {port.Port}/{port.Protocol} of node {_network.NodeName}: a process of this machine listens on it.");
        }

        static NftElement Port((string Protocol, int Port) port) => new("host_ports", $"{port.Protocol} . {port.Port}");
    }

    private static ObjectReference Reference(Service service) => new()
    {
        Kind = "Service", ApiVersion = "v1", Namespace = service.Metadata.Namespace, Name = service.Metadata.Name, Uid = service.Metadata.Uid,
    };

    private async Task WatchMachineAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await LookAsync(cancellationToken);
                }
                catch (IOException failed)
                {
                    Log.LookFailed(_logger, failed.Message);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (await ForwardAllowance.EnsureAsync(_network.ClusterName, _network.ClusterCidr, cancellationToken))
            Log.ForwardAllowed(_logger, _network.ClusterCidr);
        var busy = HostListeners.Read(_network);
        var differ = busy.Except(_busy).Concat(_busy.Except(busy)).ToHashSet();
        _busy = busy;
        if (differ.Count > 0)
        {
            foreach (var service in _services.Cache.All().Where(service => service.Spec.Type == "LoadBalancer"
                && service.Spec.Ports.Any(port => differ.Contains((port.Protocol == "UDP" ? "udp" : "tcp", port.Port)))))
                Changed(KeyOf(service));
            foreach (var pod in _pods.All().Where(pod => HostPortObjects.Ports(pod).Any(differ.Contains)))
                PodChanged(KeyOf(pod));
        }

        try
        {
            await Nft.ReadAsync(["list", "chain", "ip", NodeFirewall.TableName(_network.ClusterName), "service_prerouting"], "", cancellationToken);
        }
        catch (IOException)
        {
            // Somebody flushed the machine's rules (a restart of nftables.service does).
            Log.Restoring(_logger);
            await NodeFirewall.ApplyAsync(_network.ClusterName, _network.PodCidr, _network.ClusterCidr);
            await NodeAddresses.PrepareAsync(_network, cancellationToken);
            _whole = true;
            _signal.Writer.TryWrite(true);
        }
    }

    private static ObjectKey KeyOf(IObject value) => new(value.Metadata.Namespace ?? "", value.Metadata.Name ?? "");

    private static ObjectKey? ServiceOf(EndpointSlice slice) =>
        slice.Metadata.Labels.TryGetValue(ServicePlanner.ServiceLabel, out var service) ? new ObjectKey(slice.Metadata.Namespace ?? "", service) : null;

    /// <summary>Stops following. The rules stay: connections and services go on without the agent.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        await Task.WhenAll(_running);
        _kernel.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Watch of {Resource} failed and is opened again: {Cause}", EventName = nameof(WatchFailed))]
        public static partial void WatchFailed(ILogger logger, string resource, string cause);

        [LoggerMessage(LogLevel.Debug, "{Services} services programmed, {Characters} characters of rules, in {Milliseconds:F1} ms", EventName = nameof(Programmed))]
        public static partial void Programmed(ILogger logger, int services, int characters, double milliseconds);

        [LoggerMessage(LogLevel.Debug, "A change of services goes by way of the nft program, because of: {Line}", EventName = nameof(ByProgram))]
        public static partial void ByProgram(ILogger logger, string line);

        [LoggerMessage(LogLevel.Warning, "A change of the services' rules was refused, all are made anew: {Cause}", EventName = nameof(ChangeRefused))]
        public static partial void ChangeRefused(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Error, "The rules of services were refused, and are made anew: {Cause}", EventName = nameof(Refused))]
        public static partial void Refused(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Warning, "The machine's network could not be looked at: {Cause}", EventName = nameof(LookFailed))]
        public static partial void LookFailed(ILogger logger, string cause);

        [LoggerMessage(LogLevel.Warning, "The rules of services are gone from the kernel, and are made anew", EventName = nameof(Restoring))]
        public static partial void Restoring(ILogger logger);

        [LoggerMessage(LogLevel.Information, "Packets of {Cidr} are let through the machine's FORWARD chain", EventName = nameof(ForwardAllowed))]
        public static partial void ForwardAllowed(ILogger logger, string cidr);
    }
}
