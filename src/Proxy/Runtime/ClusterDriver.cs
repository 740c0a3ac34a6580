using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Health;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>What keeps a cluster up to date: its configuration, the names it is found by, the checks of its endpoints.</summary>
internal sealed class ClusterDriver : IAsyncDisposable
{
    private readonly ProxyClock _clock;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Action _endpointsLeft;
    private readonly Lock _gate = new();
    private List<HealthChecker> _checkers = [];
    private string _checkedBy = "";
    private readonly Dictionary<DnsDiscovery, NamedEndpoints> _names = [];

    // Of the gate: what is resolved while a configuration changes belongs to the newer one.
    private ClusterConfig _config;
    private ConnectWay _way = ConnectWay.Plain;
    private Locality _here;
    private IReadOnlyDictionary<DnsDiscovery, NamedEndpoints> _asked = new Dictionary<DnsDiscovery, NamedEndpoints>();

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
        var wanted = Questions(config).ToHashSet();
        var gone = _names.Where(pair => !wanted.Contains(pair.Key)).Select(pair => pair.Value).ToList();
        foreach (var before in gone)
        {
            _names.Remove(before.Dns);
            await before.DisposeAsync();
        }

        var come = new List<NamedEndpoints>();
        foreach (var question in wanted.Where(question => !_names.ContainsKey(question)))
        {
            var name = _names[question] = new NamedEndpoints(question, config.Name, _clock, _logger, Answered);
            if (gone.Find(before => before.IsSameName(question)) is { } before)
                name.TakeOver(before);
            come.Add(name);
        }

        lock (_gate)
            (_config, _way, _here, _asked) = (config, way, here, new Dictionary<DnsDiscovery, NamedEndpoints>(_names));
        Take();
        // First answers are waited for a moment, so that the first request finds somebody.
        await Task.WhenAll(come.Select(name => name.StartAsync(waits)));
    }

    private static IEnumerable<DnsDiscovery> Questions(ClusterConfig config)
    {
        var named = config.Endpoints.Where(endpoint => !IPAddress.TryParse(endpoint.Address, out _)).Select(Question);
        return config.Dns is { } dns ? named.Prepend(dns) : named;
    }

    private static DnsDiscovery Question(EndpointConfig named) => new(named.Address, named.Port);

    private void Answered(NamedEndpoints name)
    {
        if (Take())
            _endpointsLeft();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _names.Values)
            await name.DisposeAsync();
        foreach (var checker in _checkers)
            await checker.DisposeAsync();
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

    private bool Take()
    {
        lock (_gate)
        {
            var endpoints = _config.Endpoints.SelectMany(Places).Concat(_config.Dns is { } dns ? _asked[dns].Allowed(_way) : [])
                .Select(endpoint => (Config: endpoint, Address: new IPEndPoint(IPAddress.Parse(endpoint.Address), endpoint.Port)))
                .DistinctBy(endpoint => endpoint.Address)
                .ToList();
            var left = Cluster.Configure(_config, _here, endpoints, _clock.Ticks, _way);
            foreach (var checker in _checkers)
                checker.SetTargets([.. endpoints.Select(endpoint => new HealthTarget(endpoint.Address.ToString(), endpoint.Address, endpoint.Config.HostName))]);
            return left;
        }
    }

    // Each address behind a name is an endpoint as the name is one.
    private IEnumerable<EndpointConfig> Places(EndpointConfig endpoint) => IPAddress.TryParse(endpoint.Address, out _)
        ? [endpoint]
        : _asked[Question(endpoint)].Allowed(_way).Select(found => endpoint with { Address = found.Address, HostName = endpoint.HostName ?? found.HostName });
}

/// <summary>One clock for clusters and checks.</summary>
internal sealed class ProxyClock(TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>Of 100 ns, of a clock that does not go back.</summary>
    public long Ticks => (long)(time.GetTimestamp() * ((double)TimeSpan.TicksPerSecond / time.TimestampFrequency));
}
