using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Coordination;

namespace Weft.Client;

/// <summary>How often a leader renews and how long the others wait. The figures are client-go's.</summary>
public sealed record LeaderTimes(TimeSpan Lease, TimeSpan RenewDeadline, TimeSpan Retry)
{
    public static readonly LeaderTimes Default = new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2));
}

/// <summary>
/// One of several processes leads, by a Lease. Others take over when they have themselves watched it stay unrenewed for its duration: no
/// clock is compared with another's. A leader that cannot renew stops before anybody else may start.
/// </summary>
public sealed class LeaderElector(KubeClient client, ObjectKey lease, string identity, TimeProvider time, Random random, LeaderTimes? times = null)
{
    private readonly LeaderTimes _times = times ?? LeaderTimes.Default;
    private readonly ResourceClient<Lease> _leases = client.For<Lease>();
    private (string? Holder, string? Renewed, long At) _observed;

    /// <summary>Waits to lead, then runs <paramref name="lead"/> with a token that ends with the leadership; again after losing it.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (!await TryAcquireAsync(stopping))
            {
                await PauseAsync(stopping);
                continue;
            }

            using var leading = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var work = lead(leading.Token);
            await RenewAsync(work, stopping);
            await leading.CancelAsync();
            await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                await ReleaseAsync();
            await work; // what broke the work breaks the caller, too
        }
    }

    private async Task RenewAsync(Task work, CancellationToken stopping)
    {
        var renewed = time.GetTimestamp();
        while (!work.IsCompleted && !stopping.IsCancellationRequested && time.GetElapsedTime(renewed) < _times.RenewDeadline)
        {
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(work, PauseAsync(wait.Token));
            await wait.CancelAsync();
            if (!work.IsCompleted && !stopping.IsCancellationRequested && await TryAcquireAsync(stopping))
                renewed = time.GetTimestamp();
        }
    }

    private async Task<bool> TryAcquireAsync(CancellationToken stopping)
    {
        using var deadline = new CancellationTokenSource(_times.RenewDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
        try
        {
            return await AcquireAsync(either.Token);
        }
        catch (Exception failed) when (failed is ApiStatusException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            return false; // somebody was faster, or the server is away: the next try tells
        }
    }

    private async Task<bool> AcquireAsync(CancellationToken cancellationToken)
    {
        var now = new MicroTime(time.GetUtcNow());
        if (await _leases.FindAsync(lease, cancellationToken) is not { } current)
        {
            await _leases.CreateAsync(lease.Namespace, new Lease
            {
                Metadata = new ObjectMeta { Name = lease.Name },
                Spec = new LeaseSpec
                {
                    HolderIdentity = identity, LeaseDurationSeconds = (int)_times.Lease.TotalSeconds, AcquireTime = now, RenewTime = now, LeaseTransitions = 0,
                },
            }, cancellationToken);
            return true;
        }

        var (holder, renewed) = (current.Spec.HolderIdentity, current.Spec.RenewTime?.ToString());
        if (_observed.Holder != holder || _observed.Renewed != renewed)
            _observed = (holder, renewed, time.GetTimestamp());
        var mine = holder == identity;
        if (!mine && !string.IsNullOrEmpty(holder) && time.GetElapsedTime(_observed.At) < TimeSpan.FromSeconds(current.Spec.LeaseDurationSeconds ?? 0))
            return false;

        var spec = new JsonObject
        {
            ["holderIdentity"] = identity, ["leaseDurationSeconds"] = (int)_times.Lease.TotalSeconds, ["renewTime"] = now.ToString(),
        };
        if (!mine)
        {
            spec["acquireTime"] = now.ToString();
            spec["leaseTransitions"] = (current.Spec.LeaseTransitions ?? 0) + 1;
        }

        await PatchAsync(current, spec, cancellationToken);
        return true;
    }

    // A leader that stops in order lets the next one start at once.
    private async Task ReleaseAsync()
    {
        using var deadline = new CancellationTokenSource(_times.Retry, time);
        try
        {
            if (await _leases.FindAsync(lease, deadline.Token) is { } current && current.Spec.HolderIdentity == identity)
                await PatchAsync(current, new JsonObject { ["holderIdentity"] = "" }, deadline.Token);
        }
        catch (Exception failed) when (failed is ApiStatusException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            // Then the others wait for the lease to run out.
        }
    }

    // The revision makes it a compare-and-set: of two that try, one gets a conflict.
    private Task PatchAsync(Lease current, JsonObject spec, CancellationToken cancellationToken) => _leases.PatchAsync(
        lease, Patch.Merge(new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = current.Metadata.ResourceVersion }, ["spec"] = spec }), cancellationToken);

    private async Task PauseAsync(CancellationToken cancellationToken)
    {
        double spread;
        lock (random)
            spread = random.NextDouble();
        await Task.Delay(_times.Retry * (1 + (spread / 5)), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
