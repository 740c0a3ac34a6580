using System.Threading.Tasks.Sources;

namespace Weft.Storage.Writing;

/// <summary>One commit on its way. Pooled: a commit allocates what it keeps (entry, change, batch) and little else.</summary>
internal sealed class CommitRequest : IValueTaskSource<CommitResult>
{
    private readonly CommitQueue _queue;
    private ManualResetValueTaskSourceCore<CommitResult> _core;

    public CommitRequest(CommitQueue queue)
    {
        _queue = queue;
        _core.RunContinuationsAsynchronously = true; // the writer must never run what its caller does next
    }

    public ReadOnlyMemory<Op> Operations { get; private set; }

    /// <summary>The outcome, decided by the writer; told only after the group is durable.</summary>
    public CommitResult Outcome { get; set; }

    public void Begin(ReadOnlyMemory<Op> operations)
    {
        _core.Reset();
        Operations = operations;
    }

    public ValueTask<CommitResult> Answered() => new(this, _core.Version);

    public void Answer() => _core.SetResult(Outcome);

    public void Refuse(Exception reason) => _core.SetException(reason);

    public CommitResult GetResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Operations = default;
            Outcome = default;
            _queue.Recycle(this);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
