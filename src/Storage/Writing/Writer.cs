using Weft.Storage.History;
using Weft.Storage.Tree;
using Weft.Storage.Watching;

namespace Weft.Storage.Writing;

/// <summary>
/// The one writer. Takes a group of commits, decides them against the newest state and each other, makes them durable in one go,
/// and only then publishes and answers. Everything else reads what it has published.
/// </summary>
internal sealed class Writer : IDisposable
{
    private readonly IDriver _driver;
    private readonly IFailPoints _failPoints;
    private readonly RecentLog _recent;
    private readonly WatchHub _hub;
    private readonly Published _published;
    private readonly CommitQueue _queue;
    private readonly CompactionQueue _compactions;
    private readonly List<CommitRequest> _group = [];
    private readonly Thread _thread;
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _onCaller;

    // Held by who writes: the writer's thread, or a caller that found it idle.
    private readonly Lock _writing = new();
    private long _edits;
    private volatile bool _full;
    private volatile int _lastGroup;
    private volatile Exception? _broken;

    public Writer(IDriver driver, Published published, RecentLog recent, WatchHub hub, StoreOptions options)
    {
        _driver = driver;
        _failPoints = options.FailPoints;
        _onCaller = options.WriteOnCaller;
        _published = published;
        _recent = recent;
        _hub = hub;
        _queue = new CommitQueue(options.MaxPendingCommits);
        _compactions = new CompactionQueue(driver, published, _failPoints);
        _thread = new Thread(Run) { Name = "weft-store", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Completes, with the reason, when the store can no longer know what is on the disk.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>The last write found no space. Each further one tries again.</summary>
    public bool IsFull => _full;

    public ValueTask<CommitResult> CommitAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // Where commits come in groups a lone one would only make the others wait for a second fsync.
        if (!_onCaller || _lastGroup > 1 || !_queue.IsIdle || !_writing.TryEnter())
            return _queue.EnqueueAsync(operations, cancellationToken);

        try
        {
            // Again under the lock: one that the writer has taken must not be overtaken, and after the end nothing is written.
            if (_queue.IsIdle && _broken is null && !_queue.IsClosed)
                return ValueTask.FromResult(CommitAlone(operations.Span));
        }
        catch (StoreReadOnlyException full)
        {
            return ValueTask.FromException<CommitResult>(full);
        }
        catch (Exception cause)
        {
            // The writer's thread ends the store: it alone owns what waits.
            _broken = cause;
            _queue.Poke();
            return ValueTask.FromException<CommitResult>(new StoreFailedException(MessageOf(cause), cause));
        }
        finally
        {
            _writing.Exit();
        }

        return _queue.EnqueueAsync(operations, cancellationToken);
    }

    public Task CompactAsync(long revision)
    {
        var done = _compactions.Add(revision);
        _queue.Poke();
        return done;
    }

    /// <summary>Finishes what is queued, and stops.</summary>
    public void Dispose()
    {
        _queue.Close(new ObjectDisposedException(nameof(IStore)));
        _thread.Join();
        lock (_writing)
        {
            // a caller that was writing has finished
        }

        _queue.Dispose();
    }

    private void Run()
    {
        try
        {
            // A compaction goes on one bounded step at a time between groups: commits never wait for more than one step.
            while (_queue.Take(_group, block: !_compactions.HasWork))
            {
                lock (_writing)
                {
                    if (_broken is { } cause)
                        throw cause;
                    if (_group.Count > 0)
                        CommitGroup();
                    _compactions.Step();
                }
            }

            if (_broken is { } last)
                throw last;

            _compactions.Stop(new ObjectDisposedException(nameof(IStore)));
        }
        catch (Exception cause)
        {
            Fail(cause);
        }
    }

    private void CommitGroup()
    {
        var from = _published.Current;
        var group = new Group(from, ++_edits);
        foreach (var request in _group)
            request.Outcome = group.Decide(request.Operations.Span);

        if (group.Batches.Count > 0)
        {
            if (MakeDurable(group) is { } full)
            {
                RefuseWrites(from, full.Message);
                return;
            }

            Publish(group);
        }

        _lastGroup = _group.Count;
        foreach (var request in _group)
            request.Answer();
        GroupIsAnswered();
    }

    /// <summary>The same for one commit, by its caller.</summary>
    private CommitResult CommitAlone(ReadOnlySpan<Op> operations)
    {
        var from = _published.Current;
        var group = new Group(from, ++_edits);
        var outcome = group.Decide(operations);
        if (group.Batches.Count > 0)
        {
            if (MakeDurable(group) is { } full)
                return Group.Check(operations, new TreeEdit(from.Root, ++_edits)) ?? throw Refusal(full.Message);
            Publish(group);
        }

        return outcome;
    }

    /// <summary>Null, or that there is no room: then nothing was written.</summary>
    private DiskFullException? MakeDurable(Group group)
    {
        try
        {
            _failPoints.Hit(FailPoint.BeforeCommit);
            _driver.Append(group.Batches);
            _full = false;
            return null;
        }
        catch (DiskFullException full)
        {
            _full = true;
            return full;
        }
    }

    private void Publish(Group group)
    {
        _failPoints.Hit(FailPoint.AfterCommit);
        var after = group.Result;
        _recent.Append(new Epoch([.. group.Batches], after));
        _published.Publish(after);
        if (_recent.Trim(_hub.Dispatched))
        {
            _hub.Wake();
        }
        else
        {
            // The pool is starved and the watches are not served: serve them here, so that neither memory grows nor a change is lost to them.
            _hub.CatchUp();
            _recent.Trim(_hub.Dispatched);
        }
    }

    // What the group decided is void. A conflict with the published state stands all the same; everything else was not written.
    private void RefuseWrites(Snapshot state, string reason)
    {
        var edit = new TreeEdit(state.Root, ++_edits);
        foreach (var request in _group)
        {
            if (Group.Check(request.Operations.Span, edit) is { } conflict)
            {
                request.Outcome = conflict;
                request.Answer();
            }
            else
            {
                request.Refuse(Refusal(reason));
            }
        }

        GroupIsAnswered();
    }

    private static StoreReadOnlyException Refusal(string reason) => new($"{reason}; nothing was written, reads go on: make room on the disk of the store");

    private void GroupIsAnswered()
    {
        if (_group.Count > 0)
            _queue.Release(_group.Count);
        _group.Clear();
    }

    private void Fail(Exception cause)
    {
        var message = MessageOf(cause);
        var reason = new StoreFailedException(message, cause);
        _queue.Close(reason);
        _failed.TrySetResult(reason);
        _compactions.Stop(reason);
        do
        {
            foreach (var request in _group)
                request.Refuse(new StoreFailedException(message, cause));
            GroupIsAnswered();
        }
        while (_queue.Take(_group, block: false) && _group.Count > 0);
    }

    private static string MessageOf(Exception cause) =>
        $"the store cannot tell whether its last write is durable ({cause.Message}): end this process; it recovers when it starts again";
}
