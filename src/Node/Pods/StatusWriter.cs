using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Node.Pods;

/// <summary>Brings statuses to the API: only the newest of each pod, again until it is there. A status is never lost to a failed write.</summary>
internal sealed partial class StatusWriter(KubeClient client, ObjectCache<Pod> cache, TimeProvider time, Random random, ILogger<StatusWriter> logger) : IAsyncDisposable
{
    // Writes of different pods in flight at once.
    private const int Workers = 4;

    private readonly WorkQueue<string> _queue = new(time, random, new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10)));
    private readonly ConcurrentDictionary<string, Pending> _pending = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private sealed record Pending(ObjectKey Key, PodStatus Status, TaskCompletionSource Written);

    public void Start() => _running = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => _queue.WorkAsync(WriteAsync, Failed, _stop.Token)));

    /// <summary>The task ends when this status, or a newer one, is in the API, or the pod is no longer there.</summary>
    public Task Set(Pod pod, PodStatus status)
    {
        var uid = pod.Metadata.Uid!;
        var pending = _pending.AddOrUpdate(
            uid,
            _ => new Pending(KeyOf(pod), status, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)),
            (_, old) => old with { Status = status });
        _queue.Add(uid);
        return pending.Written.Task;
    }

    private void Failed(string uid, Exception failure, TimeSpan delay)
    {
        if (failure is ApiStatusException or HttpRequestException or IOException or JsonException or TimeoutException)
            Log.Retried(logger, uid, delay.TotalMilliseconds, failure.Message);
        else
            Log.Broke(logger, failure, uid, delay.TotalMilliseconds);
    }

    private async Task WriteAsync(string uid, CancellationToken cancellationToken)
    {
        if (!_pending.TryGetValue(uid, out var pending))
            return;
        var pod = cache.Find(pending.Key);
        if (pod?.Metadata.Uid == uid && StatusPatch.Create(pod, pending.Status) is { } patch)
        {
            try
            {
                cache.Wrote(await client.For<Pod>().PatchStatusAsync(pending.Key, Patch.Strategic(patch), cancellationToken));
            }
            catch (ApiStatusException gone) when (gone.IsNotFound || gone.IsConflict)
            {
                // Deleted, or its name lives again with another uid: nothing is left to say.
            }
        }

        // A newer status that came meanwhile is queued again, and keeps the promise of this one.
        if (_pending.TryGetValue(uid, out var now) && ReferenceEquals(now.Status, pending.Status) && _pending.TryRemove(KeyValuePair.Create(uid, now)))
            now.Written.TrySetResult();
    }

    private static ObjectKey KeyOf(Pod pod) => new(pod.Metadata.Namespace!, pod.Metadata.Name!);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _queue.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Status of pod {Uid} is written again in {Milliseconds:F0} ms: {Cause}", EventName = nameof(Retried))]
        public static partial void Retried(ILogger logger, string uid, double milliseconds, string cause);

        [LoggerMessage(LogLevel.Error, "Status of pod {Uid} could not be written, again in {Milliseconds:F0} ms", EventName = nameof(Broke))]
        public static partial void Broke(ILogger logger, Exception exception, string uid, double milliseconds);
    }
}
