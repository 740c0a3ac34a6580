using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Health;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>What keeps a cluster up to date: its configuration, the names it is found by, the checks of its endpoints.</summary>
internal sealed partial class ClusterDriver : IAsyncDisposable
{
    private readonly ProxyClock _clock;
    private readonly Random _random;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private List<HealthChecker> _checkers = [];
    private ValueList<HealthCheckConfig> _checks = [];
    private UpstreamTls? _checkTls;
    private Task _resolving = Task.CompletedTask;
    private CancellationTokenSource _resolvingStop = new();
    private DnsDiscovery? _dns;
    private Locality _here;

    public ClusterDriver(ClusterConfig config, Locality here, int loops, ProxyClock clock, Random random, ILoggerFactory loggers)
    {
        (_here, _clock, _random, _loggers) = (here, clock, random, loggers);
        _logger = loggers.CreateLogger<ClusterDriver>();
        Cluster = new Cluster(config, here, loops, random.Next(1 << 16));
    }

    public Cluster Cluster { get; }

    public async Task ApplyAsync(ClusterConfig config, Locality here)
    {
        _here = here;
        if (config.HealthChecks != _checks || config.Tls != _checkTls)
        {
            foreach (var checker in _checkers)
                await checker.DisposeAsync();
            (_checks, _checkTls) = (config.HealthChecks, config.Tls);
            var authorities = config.Tls?.Authorities is { } source ? source.File is { } file ? await File.ReadAllTextAsync(file) : source.Inline : null;
            _checkers = [.. _checks.Select(check => new HealthChecker(
                config.Name, check, HealthProbes.Create(check, config.Protocol, HealthTls.Of(config.Tls, authorities)),
                (endpoint, healthy, _) => Cluster.SetChecked(endpoint, healthy, _clock.Ticks), _clock.Time, _random, _loggers.CreateLogger<HealthChecker>()))];
        }

        if (config.Dns != _dns)
        {
            await _resolvingStop.CancelAsync();
            await _resolving;
            _dns = config.Dns;
            _resolvingStop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            if (_dns is not null)
            {
                // The first answer is waited for a moment, so that the first request finds somebody.
                await ResolveAsync(config, _resolvingStop.Token);
                _resolving = KeepResolvingAsync(_resolvingStop.Token);
                return;
            }
        }

        if (_dns is null)
            Take(config, []);
        else
            await ResolveAsync(config, _resolvingStop.Token);
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

    private async Task KeepResolvingAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_dns!.Refresh, _clock.Time, stopping);
                await ResolveAsync(Cluster.Config, stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // the end, or another name
        }
    }

    private async Task ResolveAsync(ClusterConfig config, CancellationToken stopping)
    {
        try
        {
            var addresses = await System.Net.Dns.GetHostAddressesAsync(config.Dns!.Name, stopping);
            Take(config, [.. addresses.Select(address => new EndpointConfig { Address = address.ToString(), Port = config.Dns.Port, HostName = config.Dns.Name })]);
        }
        catch (SocketException failed)
        {
            // What was found before stays: a resolver that is away is no reason to lose a service.
            Log.NotResolved(_logger, config.Dns!.Name, config.Name, failed.Message);
            if (Cluster.Table().Endpoints.IsEmpty)
                Take(config, []);
        }
        catch (OperationCanceledException)
        {
            // the end
        }
    }

    private void Take(ClusterConfig config, IReadOnlyList<EndpointConfig> found)
    {
        var endpoints = config.Endpoints.Concat(found)
            .Select(endpoint => (Config: endpoint, Address: new IPEndPoint(IPAddress.Parse(endpoint.Address), endpoint.Port)))
            .DistinctBy(endpoint => endpoint.Address)
            .ToList();
        Cluster.Configure(config, _here, endpoints, _clock.Ticks);
        foreach (var checker in _checkers)
            checker.SetTargets([.. endpoints.Select(endpoint => new HealthTarget(endpoint.Address.ToString(), endpoint.Address, endpoint.Config.HostName))]);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Name} of cluster {Cluster} is not resolved: {Reason}", EventName = nameof(NotResolved))]
        public static partial void NotResolved(ILogger logger, string name, string cluster, string reason);
    }
}

/// <summary>One clock for clusters and checks.</summary>
internal sealed class ProxyClock(TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>Of 100 ns, of a clock that does not go back.</summary>
    public long Ticks => (long)(time.GetTimestamp() * ((double)TimeSpan.TicksPerSecond / time.TimestampFrequency));
}
