using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;
using Weft.Proxy.Downstream;
using Weft.Proxy.Health;
using Weft.Proxy.Upstream.Clusters;
using Weft.Proxy.Upstream.Discovery;

namespace Weft.Proxy.Runtime;

/// <summary>What keeps a cluster up to date: its configuration, the names it is found by, the checks of its endpoints.</summary>
internal sealed partial class ClusterDriver : IAsyncDisposable
{
    // A resolver that does not answer must not hold up a configuration. Questions to DNS servers give up by themselves before that (NameResolver.Patience, twice for SRV records), and
    // what was answered is taken; this is for the system's resolver, which does not.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly ProxyClock _clock;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Action _endpointsLeft;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private List<HealthChecker> _checkers = [];
    private string _checkedBy = "";
    private Task _resolving = Task.CompletedTask;
    private CancellationTokenSource _resolvingStop = new();
    private DnsDiscovery? _dns;
    private bool _toldForbidden;

    // Of the gate: what is resolved while a configuration changes belongs to the newer one.
    private ClusterConfig _config;
    private ConnectWay _way = ConnectWay.Plain;
    private Locality _here;
    private IReadOnlyList<EndpointConfig> _found = [];

    /// <param name="endpointsLeft">Called when endpoints have left because names are resolved otherwise now.</param>
    public ClusterDriver(ClusterConfig config, Locality here, int loops, ProxyClock clock, Random random, ILoggerFactory loggers, Action endpointsLeft)
    {
        (_config, _here, _clock, _random, _loggers, _endpointsLeft) = (config, here, clock, random, loggers, endpointsLeft);
        _logger = loggers.CreateLogger<ClusterDriver>();
        Cluster = new Cluster(config, here, loops, random.Next(1 << 16));
    }

    public Cluster Cluster { get; }

    /// <param name="waits">For the first answer of a name; otherwise nobody is found until it comes.</param>
    public async Task ApplyAsync(ClusterConfig config, ConnectWay way, Locality here, bool waits = true)
    {
        await RenewChecksAsync(config);
        var changed = config.Dns != _dns;
        // Asked otherwise, or elsewhere, the name is still the same: its endpoints hold until the first answer.
        var renamed = (config.Dns?.Name, config.Dns?.Port, config.Dns?.Srv) != (_dns?.Name, _dns?.Port, _dns?.Srv);
        if (changed)
        {
            await _resolvingStop.CancelAsync();
            await _resolving;
            _dns = config.Dns;
            _toldForbidden &= !renamed;
        }

        lock (_gate)
            (_config, _way, _here, _found) = (config, way, here, renamed ? [] : _found);
        Take();
        if (!changed || _dns is null)
            return;
        _resolvingStop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var resolver = new NameResolver(_dns, _clock.Time);
        if (!waits)
        {
            _resolving = KeepResolvingAsync(resolver, _dns, TimeSpan.Zero, _resolvingStop.Token);
            return;
        }

        // The first answer is waited for a moment, so that the first request finds somebody.
        var (_, life) = await ResolveAsync(resolver, _dns, _resolvingStop.Token);
        _resolving = KeepResolvingAsync(resolver, _dns, life, _resolvingStop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _resolving;
        foreach (var checker in _checkers)
            await checker.DisposeAsync();
        _resolvingStop.Dispose();
        _stop.Dispose();
    }

    /// <summary>New ones when their configuration has changed, or what they trust.</summary>
    private async Task RenewChecksAsync(ClusterConfig config)
    {
        var authorities = config.Tls?.Authorities is { } source ? source.File is { } file ? await File.ReadAllTextAsync(file) : source.Inline : null;
        var by = $"{config.HealthChecks} {config.Tls} {config.Protocol} {config.ProxyProtocol} {config.Endpoints.Any(endpoint => endpoint.Identity is not null)} {authorities}";
        if (by == _checkedBy)
            return;
        foreach (var checker in _checkers)
            await checker.DisposeAsync();
        var identities = config.Endpoints.Any(endpoint => endpoint.Identity is not null);
        var first = config.ProxyProtocol == ProxyProtocolVersion.None ? null : ProxyHeader.Of(config.ProxyProtocol, null, null);
        _checkers = [.. config.HealthChecks.Select(check => new HealthChecker(
            config.Name, check, HealthProbes.Create(check, config.Protocol, HealthTls.Of(config.Tls, authorities, identities), first),
            (endpoint, healthy, _) => Cluster.SetChecked(endpoint, healthy, _clock.Ticks), _clock.Time, _random, _loggers.CreateLogger<HealthChecker>()))];
        _checkedBy = by;
    }

    private async Task KeepResolvingAsync(NameResolver resolver, DnsDiscovery dns, TimeSpan life, CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await Task.Delay(life, _clock.Time, stopping);
                (var left, life) = await ResolveAsync(resolver, dns, stopping);
                if (left)
                    _endpointsLeft();
            }
        }
        catch (OperationCanceledException)
        {
            // the end, or another name
        }
    }

    /// <returns>Whether an endpoint has left, and when the name is to be resolved again.</returns>
    private async Task<(bool Left, TimeSpan Life)> ResolveAsync(NameResolver resolver, DnsDiscovery dns, CancellationToken stopping)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, _clock.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
            var found = await resolver.ResolveAsync(either.Token);
            lock (_gate)
                _found = Allowed(found.Endpoints, dns.Name);
            return (Take(), found.Life);
        }
        catch (Exception failed) when (failed is NotResolvedException || (failed is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            // What was found before stays: a resolver that is away is no reason to lose a service.
            Log.NotResolved(_logger, dns.Name, _config.Name, failed is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : failed.Message);
            return (false, dns.Refresh);
        }
        catch (OperationCanceledException)
        {
            return (false, dns.Refresh); // the end
        }
    }

    // Whoever writes a name, or answers for it, may not say where the node itself would find it: that is for whoever writes the configuration of a proxy of their own.
    private IReadOnlyList<EndpointConfig> Allowed(IReadOnlyList<EndpointConfig> endpoints, string name)
    {
        if (_way.Paths is not { } paths)
            return endpoints;
        var allowed = endpoints.Where(endpoint => paths.MayResolveTo(IPAddress.Parse(endpoint.Address))).ToList();
        if (allowed.Count == endpoints.Count)
            return endpoints;
        if (!_toldForbidden)
            Log.Forbidden(_logger, name, _config.Name, string.Join(", ", endpoints.Except(allowed).Select(endpoint => endpoint.Address).Take(4)), allowed.Count);
        _toldForbidden = true;
        return allowed;
    }

    private bool Take()
    {
        lock (_gate)
        {
            var endpoints = _config.Endpoints.Concat(_found)
                .Select(endpoint => (Config: endpoint, Address: new IPEndPoint(IPAddress.Parse(endpoint.Address), endpoint.Port)))
                .DistinctBy(endpoint => endpoint.Address)
                .ToList();
            var left = Cluster.Configure(_config, _here, endpoints, _clock.Ticks, _way);
            foreach (var checker in _checkers)
                checker.SetTargets([.. endpoints.Select(endpoint => new HealthTarget(endpoint.Address.ToString(), endpoint.Address, endpoint.Config.HostName))]);
            return left;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Name} of cluster {Cluster} is not resolved: {Reason}", EventName = nameof(NotResolved))]
        public static partial void NotResolved(ILogger logger, string name, string cluster, string reason);

        [LoggerMessage(
            LogLevel.Warning, "{Name} of cluster {Cluster} leads to {Addresses}, where no name of the mesh may lead (loopback, link-local, multicast, the proxy's own): left out, {Left} others stay",
            EventName = nameof(Forbidden))]
        public static partial void Forbidden(ILogger logger, string name, string cluster, string addresses, int left);
    }
}

/// <summary>One clock for clusters and checks.</summary>
internal sealed class ProxyClock(TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>Of 100 ns, of a clock that does not go back.</summary>
    public long Ticks => (long)(time.GetTimestamp() * ((double)TimeSpan.TicksPerSecond / time.TimestampFrequency));
}
