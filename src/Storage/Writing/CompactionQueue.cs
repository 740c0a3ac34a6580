namespace Weft.Storage.Writing;

/// <summary>Compactions asked for, done by the writer in small steps. Several at once become one, up to the highest revision.</summary>
internal sealed class CompactionQueue(IDriver driver, Published published, IFailPoints failPoints)
{
    private readonly Lock _gate = new();
    private readonly List<TaskCompletionSource> _waiting = [];
    private long _wanted;
    private bool _asked = true; // a restart in the middle of a compaction leaves a rest: the first step looks for it
    private Exception? _stopped;

    // Read by the writer; set under the lock, then the writer is poked.
    public bool HasWork => Volatile.Read(ref _asked);

    public Task Add(long revision)
    {
        lock (_gate)
        {
            if (_stopped is not null)
                throw _stopped;

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(done);
            _wanted = Math.Max(_wanted, revision);
            Volatile.Write(ref _asked, true);
            return done.Task;
        }
    }

    public void Step()
    {
        if (!HasWork)
            return;

        try
        {
            Mark();
            if (driver.CompactStep())
                return;

            Finish(null);
        }
        catch (DiskFullException full)
        {
            // What is marked stays refused; what is left over is removed by the next compaction.
            Finish(new StoreReadOnlyException($"{full.Message}; the compaction stopped: make room on the disk of the store"));
        }
    }

    public void Stop(Exception reason)
    {
        lock (_gate)
            _stopped = reason;
        Finish(reason);
    }

    private void Mark()
    {
        long compacted;
        lock (_gate)
            compacted = _wanted - 1;
        if (compacted <= published.Compacted)
            return;

        failPoints.Hit(FailPoint.CompactionStart);
        driver.MarkCompacted(compacted);
        // Readers are refused before the first row goes: one that ends its read without this mark has seen everything.
        published.PublishCompacted(compacted);
        failPoints.Hit(FailPoint.CompactionMarked);
    }

    private void Finish(Exception? failure)
    {
        TaskCompletionSource[] done;
        lock (_gate)
        {
            if (failure is null && _wanted - 1 > published.Compacted)
                return; // asked for more in the meantime

            done = [.. _waiting];
            _waiting.Clear();
            Volatile.Write(ref _asked, false);
        }

        foreach (var waiter in done)
        {
            if (failure is null)
                waiter.SetResult();
            else
                waiter.SetException(failure);
        }
    }
}
