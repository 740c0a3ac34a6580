using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tls;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Runtime;

/// <summary>The clusters by name, over all configurations, and what looks after them.</summary>
/// <param name="endpointsLeft">Called when endpoints have left outside of a change of configuration: names are resolved anew.</param>
internal sealed partial class ClusterSet(int loops, ProxyClock clock, Random random, ILoggerFactory loggers, Action endpointsLeft) : IAsyncDisposable
{
    // Soon enough that an endpoint that fails is out before it has met many requests; a tick without failures costs a few reads.
    public static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);
    private static readonly long Second = TimeSpan.TicksPerSecond;
    private readonly ILogger _logger = loggers.CreateLogger<ClusterSet>();
    private readonly Dictionary<string, ClusterDriver> _drivers = [];
    private long _nextOfAll;
    private FrozenDictionary<string, Cluster> _clusters = FrozenDictionary<string, Cluster>.Empty;

    public FrozenDictionary<string, Cluster> Clusters => Volatile.Read(ref _clusters);

    public async Task ApplyAsync(ProxyConfig config, Func<string, TlsClientContext?> tls)
    {
        foreach (var cluster in config.Clusters.ToArray())
        {
            if (!_drivers.TryGetValue(cluster.Name, out var driver))
                _drivers.Add(cluster.Name, driver = new ClusterDriver(cluster, config.Locality, loops, clock, random, loggers, endpointsLeft));
            await driver.ApplyAsync(cluster, ConnectWay.Of(cluster, tls(cluster.Name)), config.Locality);
        }

        Volatile.Write(ref _clusters, config.Clusters.ToFrozenDictionary(cluster => cluster.Name, cluster => _drivers[cluster.Name].Cluster));
    }

    /// <summary>These are new or different, and those are gone; all others stay as they are. Names are resolved meanwhile, not waited for.</summary>
    /// <param name="gone">Their views may ask for them a moment longer.</param>
    public async Task ChangeAsync(IReadOnlyCollection<ClusterConfig> changed, IReadOnlyCollection<string> gone, Func<string, Locality> here, Func<ClusterConfig, ConnectWay> way, Predicate<string> isOriginal)
    {
        var renamed = false;
        foreach (var cluster in changed)
        {
            if (!_drivers.TryGetValue(cluster.Name, out var driver))
            {
                _drivers.Add(cluster.Name, driver = new ClusterDriver(cluster, here(cluster.Name), loops, clock, random, loggers, endpointsLeft));
                renamed = true;
            }

            driver.Cluster.SendToOriginals(isOriginal(cluster.Name));
            await driver.ApplyAsync(cluster, way(cluster), here(cluster.Name), waits: false);
        }

        foreach (var name in gone)
        {
            if (!_drivers.Remove(name, out var driver))
                continue;
            renamed = true;
            await driver.DisposeAsync();
        }

        if (renamed)
            Volatile.Write(ref _clusters, _drivers.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.Cluster));
    }

    /// <summary>After the views have changed: nobody asks for them any more.</summary>
    public async Task ForgetAsync(ProxyConfig config)
    {
        var names = config.Clusters.Select(cluster => cluster.Name).ToHashSet();
        foreach (var gone in _drivers.Keys.Where(name => !names.Contains(name)).ToList())
        {
            await _drivers[gone].DisposeAsync();
            _drivers.Remove(gone);
        }
    }

    /// <summary>Called once in each <see cref="Tick"/>: those that a failure waits for, and all of them once a second.</summary>
    public void Maintain()
    {
        var now = clock.Ticks;
        var all = now >= _nextOfAll;
        if (all)
            _nextOfAll = now + Second;
        foreach (var cluster in Clusters.Values)
        {
            if (all || cluster.HasFailures)
                Maintain(cluster, now);
        }
    }

    // One cluster's defect must not leave the others without anybody who looks after them.
    private void Maintain(Cluster cluster, long now)
    {
        try
        {
            cluster.Maintain(now);
        }
        catch (Exception defect)
        {
            Log.NotMaintained(_logger, cluster.Config.Name, defect);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "a defect in looking after cluster {Cluster}", EventName = nameof(NotMaintained))]
        public static partial void NotMaintained(ILogger logger, string cluster, Exception defect);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var driver in _drivers.Values)
            await driver.DisposeAsync();
    }
}
