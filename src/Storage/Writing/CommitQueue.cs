namespace Weft.Storage.Writing;

/// <summary>Commits that wait for the writer, in order of arrival. While one group is being made durable the next one gathers here.</summary>
internal sealed class CommitQueue(int capacity) : IDisposable
{
    // A group is bounded so that its first commit does not wait for too long a transaction: 256 objects of 1 KB are written in about the time of an fsync.
    private const int MaxGroup = 256;
    private const long MaxGroupBytes = 4 * 1024 * 1024;

    private readonly object _gate = new();
    private readonly Queue<CommitRequest> _pending = new();
    private readonly Stack<CommitRequest> _free = new();
    private readonly SemaphoreSlim _slots = new(capacity);
    private bool _poked;
    private Exception? _closed;

    /// <summary>Nothing waits, and everything that was taken is answered.</summary>
    public bool IsIdle => _slots.CurrentCount == capacity;

    public bool IsClosed
    {
        get
        {
            lock (_gate)
                return _closed is not null;
        }
    }

    public ValueTask<CommitResult> EnqueueAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _slots.Wait(0, CancellationToken.None) ? Enqueue(operations) : WaitAndEnqueueAsync(operations, cancellationToken);
    }

    private async ValueTask<CommitResult> WaitAndEnqueueAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        return await Enqueue(operations);
    }

    private ValueTask<CommitResult> Enqueue(ReadOnlyMemory<Op> operations)
    {
        lock (_gate)
        {
            if (_closed is not null)
            {
                _slots.Release();
                return ValueTask.FromException<CommitResult>(Refusal());
            }

            if (!_free.TryPop(out var request))
                request = new CommitRequest(this);
            request.Begin(operations);
            _pending.Enqueue(request);
            if (_pending.Count == 1)
                Monitor.Pulse(_gate);
            return request.Answered();
        }
    }

    /// <summary>Fills the group with what waits. Blocks while there is nothing, unless told not to. False: the queue is closed and empty.</summary>
    public bool Take(List<CommitRequest> group, bool block)
    {
        group.Clear();
        lock (_gate)
        {
            while (block && _pending.Count == 0 && !_poked && _closed is null)
                Monitor.Wait(_gate);

            _poked = false;
            long bytes = 0;
            while (group.Count < MaxGroup && bytes < MaxGroupBytes && _pending.TryDequeue(out var request))
            {
                foreach (ref readonly var operation in request.Operations.Span)
                    bytes += operation.Value.Length;
                group.Add(request);
            }

            return group.Count > 0 || _closed is null;
        }
    }

    /// <summary>Lets the writer look around although no commit came.</summary>
    public void Poke()
    {
        lock (_gate)
        {
            _poked = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Takes no further commits. Those that wait are still given out.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>A commit was answered: its place is free.</summary>
    public void Release(int count) => _slots.Release(count);

    public void Recycle(CommitRequest request)
    {
        lock (_gate)
        {
            if (_free.Count < MaxGroup)
                _free.Push(request);
        }
    }

    public void Dispose() => _slots.Dispose();

    // A fresh exception for each caller: a shared one would gather their stack traces.
    private Exception Refusal() => _closed switch
    {
        StoreFailedException failed => new StoreFailedException(failed.Message, failed),
        var other => new ObjectDisposedException(nameof(IStore), other?.Message),
    };
}
