using Weft.Api.Core;
using Weft.Node.Pods;

namespace Weft.Node.Probes;

/// <summary>
/// The health of one running container: its postStart hook, then its startup probe, then readiness and liveness side by side. Says so when
/// something changes; it does nothing to the container itself.
/// </summary>
internal sealed class ContainerMonitor : IAsyncDisposable
{
    private readonly ProbeTarget _target;
    private readonly ProbeClient _client;
    private readonly TimeProvider _time;
    private readonly Action _changed;
    private readonly Action<string, string> _warn;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private ContainerHealth _health;

    /// <param name="known">Health as the API remembers it, for a container that an earlier run of the agent started; null: a new one.</param>
    /// <param name="warn">Reason and message of an event.</param>
    public ContainerMonitor(ProbeTarget target, ContainerHealth? known, ProbeClient client, TimeProvider time, Action changed, Action<string, string> warn)
    {
        (_target, _client, _time, _changed, _warn) = (target, client, time, changed, warn);
        var container = target.Container;
        _health = known ?? new ContainerHealth(
            Started: container.StartupProbe is null && container.Lifecycle?.PostStart is null, Ready: container.ReadinessProbe is null, Failure: null);
        _running = RunAsync(isNew: known is null);
    }

    public ContainerHealth Health => Volatile.Read(ref _health);

    private async Task RunAsync(bool isNew)
    {
        await Task.Yield();
        var container = _target.Container;
        try
        {
            if (isNew && container.Lifecycle?.PostStart is { } hook && await _client.RunHookAsync(hook, _target, _stop.Token) is { Success: false } failed)
            {
                _warn("FailedPostStartHook", $"PostStartHook failed: {failed.Message}");
                Set(Health with { Failure = "its postStart hook failed" });
                return;
            }

            if (!Health.Started)
            {
                if (container.StartupProbe is { } startup && !await StartupAsync(startup))
                    return;
                Set(Health with { Started = true });
            }

            await Task.WhenAll(
                container.ReadinessProbe is { } readiness ? ReadinessAsync(readiness) : Task.CompletedTask,
                container.LivenessProbe is { } liveness ? LivenessAsync(liveness) : Task.CompletedTask);
        }
        catch (OperationCanceledException)
        {
            // The container ends, or the agent.
        }
    }

    private async Task<bool> StartupAsync(Probe probe)
    {
        var passed = false;
        await LoopAsync(probe, "Startup", ProbeCount.Begin(false), eager: true, (count, failed) =>
        {
            passed = count.Passing;
            if (failed)
                Set(Health with { Failure = "it failed its startup probe" });
            return !passed && !failed;
        });
        return passed;
    }

    private Task ReadinessAsync(Probe probe) => LoopAsync(probe, "Readiness", ProbeCount.Begin(Health.Ready), eager: !Health.Ready, (count, _) =>
    {
        if (count.Passing != Health.Ready)
            Set(Health with { Ready = count.Passing });
        return true;
    });

    private Task LivenessAsync(Probe probe) => LoopAsync(probe, "Liveness", ProbeCount.Begin(true), eager: false, (count, _) =>
    {
        if (!count.Passing)
            Set(Health with { Failure = "it failed its liveness probe" });
        return count.Passing;
    });

    /// <param name="step">Told the count after each probe, and whether the failure threshold is reached; false ends the loop.</param>
    private async Task LoopAsync(Probe probe, string kind, ProbeCount count, bool eager, Func<ProbeCount, bool, bool> step)
    {
        if (probe.InitialDelaySeconds is > 0 and var delay)
            await Task.Delay(TimeSpan.FromSeconds(delay), _time, _stop.Token);
        var first = _time.GetTimestamp();
        for (var tries = 0; ; tries++)
        {
            var outcome = await _client.RunAsync(probe, _target, _stop.Token);
            var since = _time.GetElapsedTime(first);
            if (outcome.Success || ProbeTimes.Counts(probe, since, eager))
            {
                count = count.Add(outcome.Success, ProbeTimes.SuccessThreshold(probe), ProbeTimes.FailureThreshold(probe));
                eager &= !outcome.Success;
                if (!outcome.Success)
                    _warn("Unhealthy", $"{kind} probe failed: {outcome.Message}");
                if (!step(count, !outcome.Success && count.InARow >= ProbeTimes.FailureThreshold(probe)))
                    return;
            }
            await Task.Delay(ProbeTimes.Next(probe, tries, since, eager), _time, _stop.Token);
        }
    }

    private void Set(ContainerHealth health)
    {
        Volatile.Write(ref _health, health);
        _changed();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
