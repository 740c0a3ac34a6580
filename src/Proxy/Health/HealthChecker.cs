using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>Whom to ask.</summary>
/// <param name="Key">The endpoint's key in its cluster.</param>
internal sealed record HealthTarget(string Key, IPEndPoint Address, string? HostName);

/// <summary>Hears of changes alone. Called from any thread, one endpoint's in order.</summary>
internal delegate void HealthChanged(string endpoint, bool healthy, string? reason);

/// <summary>Asks the endpoints of one cluster by one check, each in a rhythm of its own, for as long as it lives.</summary>
internal sealed partial class HealthChecker : IAsyncDisposable
{
    private readonly string _cluster;
    private readonly HealthCheckConfig _check;
    private readonly IHealthProbe _probe;
    private readonly HealthChanged _changed;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<HealthTarget, Running> _running = [];

    public HealthChecker(string cluster, HealthCheckConfig check, IHealthProbe probe, HealthChanged changed, TimeProvider time, Random random, ILogger<HealthChecker> logger) =>
        (_cluster, _check, _probe, _changed, _time, _random, _logger) = (cluster, check, probe, changed, time, random, logger);

    /// <summary>From now on these. Those that stay keep what is known of them.</summary>
    public void SetTargets(IReadOnlyCollection<HealthTarget> targets)
    {
        lock (_gate)
        {
            var wanted = targets.ToHashSet();
            foreach (var gone in _running.Keys.Where(target => !wanted.Contains(target)).ToList())
            {
                _running[gone].Stop.Cancel();
                _running.Remove(gone);
            }

            foreach (var target in wanted.Where(target => !_running.ContainsKey(target)))
            {
                var stop = new CancellationTokenSource();
                _running.Add(target, new Running(stop, CheckAsync(target, stop.Token)));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Running> all;
        lock (_gate)
        {
            all = [.. _running.Values];
            _running.Clear();
        }

        foreach (var one in all)
            await one.Stop.CancelAsync();
        await Task.WhenAll(all.Select(one => one.Loop));
        all.ForEach(one => one.Stop.Dispose());
        _probe.Dispose();
    }

    private async Task CheckAsync(HealthTarget target, CancellationToken stopping)
    {
        var judge = default(HealthJudge);
        // Never on the thread that configures.
        await Task.Yield();
        while (!stopping.IsCancellationRequested)
        {
            var reason = await AskAsync(target, stopping);
            if (stopping.IsCancellationRequested)
                return;
            var next = judge.Next(reason is null, _check);
            if (next.Healthy != judge.Healthy)
            {
                if (next.Healthy == false)
                    Log.Unhealthy(_logger, target.Key, _cluster, reason ?? "");
                else if (judge.Healthy == false)
                    Log.Healthy(_logger, target.Key, _cluster);
                _changed(target.Key, next.Healthy == true, reason);
            }

            judge = next;
            if (!await WaitAsync(judge.Wait(_check, Chance()), stopping))
                return;
        }
    }

    private async Task<string?> AskAsync(HealthTarget target, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(_check.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
        var address = _check.Port is { } port ? new IPEndPoint(target.Address.Address, port) : target.Address;
        try
        {
            return await _probe.AskAsync(address, target.HostName, either.Token);
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {_check.Timeout.TotalSeconds:0.###} s";
        }
    }

    private double Chance()
    {
        lock (_gate)
            return _random.NextDouble();
    }

    private async Task<bool> WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(wait, _time, stopping);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private sealed record Running(CancellationTokenSource Stop, Task Loop);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "endpoint {Endpoint} of {Cluster} is not well: {Reason}", EventName = nameof(Unhealthy))]
        public static partial void Unhealthy(ILogger logger, string endpoint, string cluster, string reason);

        [LoggerMessage(LogLevel.Information, "endpoint {Endpoint} of {Cluster} is well again", EventName = nameof(Healthy))]
        public static partial void Healthy(ILogger logger, string endpoint, string cluster);
    }
}
