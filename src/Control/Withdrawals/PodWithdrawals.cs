using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Feed;

namespace Weft.Control.Withdrawals;

/// <summary>
/// Tells a node's agent when nobody sends to a pod any more that is being deleted: its slices say so, every proxy serves by that, and what was sent before is answered. Then its processes may be told
/// to end, and whether they end slowly or at once is seen by nobody.
/// </summary>
public sealed class PodWithdrawals : IDisposable
{
    private readonly ObjectCache<Pod> _pods;
    private readonly CacheIndex<EndpointSlice> _slicesByPod;
    private readonly Func<Task<ulong>> _compiled;
    private readonly IPropagation _propagation;
    private readonly TimeProvider _time;
    private readonly List<IDisposable> _subscriptions = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="compiled">As <see cref="MeshFeed.CompiledAsync"/>.</param>
    public PodWithdrawals(ObjectCache<Pod> pods, ObjectCache<EndpointSlice> slices, Func<Task<ulong>> compiled, IPropagation propagation, TimeProvider time)
    {
        (_pods, _compiled, _propagation, _time) = (pods, compiled, propagation, time);
        _slicesByPod = slices.AddIndex(static slice => slice.Endpoints.Select(endpoint => endpoint.TargetRef?.Uid).OfType<string>().Distinct());
        _subscriptions.Add(pods.Subscribe(change =>
        {
            if (change.Current.Metadata.DeletionTimestamp is not null || change.New is null)
                Changed();
        }));
        _subscriptions.Add(slices.Subscribe(_ => Changed()));
    }

    /// <returns>False: the deadline came first.</returns>
    public async Task<bool> WaitAsync(ObjectKey key, string uid, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> addresses = [];
        while (true)
        {
            Task changed;
            lock (_gate)
                changed = _changed.Task;
            var pod = _pods.Find(key);
            if (pod?.Metadata.Uid == uid)
                addresses = [.. pod.Status.PodIPs.Select(ip => ip.Ip).Append(pod.Status.PodIP).OfType<string>().Where(ip => ip.Length > 0).Distinct()];
            // One that is not in the cache is gone, or was made a moment ago and has had no request.
            if ((pod?.Metadata.Uid != uid || pod.Metadata.DeletionTimestamp is not null) && !_slicesByPod.Find(uid).Any(slice => slice.Endpoints.Any(endpoint => IsOffered(endpoint, uid))))
                break;
            if (!await InTimeAsync(changed, deadline, cancellationToken))
                return false;
        }

        var compiled = _compiled();
        return await InTimeAsync(compiled, deadline, cancellationToken)
            && await _propagation.WaitServedAsync(await compiled, null, deadline, cancellationToken)
            && await _propagation.WaitDrainedAsync(addresses, deadline, cancellationToken);
    }

    // Of a service that publishes addresses which are not ready it stays ready to the end: its clients asked for that.
    private static bool IsOffered(Endpoint endpoint, string uid) =>
        endpoint.TargetRef?.Uid == uid && endpoint.Conditions is not { Terminating: true } && endpoint.Conditions is not { Ready: false };

    private async Task<bool> InTimeAsync(Task task, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        var patience = deadline - _time.GetUtcNow();
        if (patience <= TimeSpan.Zero)
            return task.IsCompletedSuccessfully;
        try
        {
            await task.WaitAsync(patience, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Changed()
    {
        TaskCompletionSource changed;
        lock (_gate)
            (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        changed.SetResult();
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }
}
