namespace Weft.Storage.Compaction;

/// <summary>Forgets old history as time passes. Runs until it is cancelled.</summary>
public sealed class AutoCompactor(IStore store, CompactionOptions options, TimeProvider time)
{
    private readonly CompactionPolicy _policy = new(options);

    /// <summary>
    /// The reason of the last compaction that did not end, for the host to log; null while all is well. A full disk is one: the next round tries again.
    /// </summary>
    public Exception? LastFailure { get; private set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
                await CompactAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // asked to stop
        }
    }

    private async Task CompactAsync(CancellationToken stopping)
    {
        if (_policy.Next(time.GetUtcNow(), store.Revision, store.CompactedRevision) is not { } revision)
            return;

        try
        {
            await store.CompactAsync(revision, stopping);
            LastFailure = null;
        }
        catch (StoreReadOnlyException full)
        {
            LastFailure = full;
        }
    }
}
