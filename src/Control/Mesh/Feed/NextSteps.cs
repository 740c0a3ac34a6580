namespace Weft.Control.Mesh.Feed;

/// <summary>Who waits for a step that has not begun yet: only such a one is sure to have read what they know of.</summary>
internal sealed class NextSteps
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<ulong> _next = Fresh();
    private TaskCompletionSource<ulong>? _under;

    public Task<ulong> Next
    {
        get
        {
            lock (_gate)
                return _next.Task;
        }
    }

    /// <summary>Again after a step that failed: those who waited for that one wait for this one.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            if (_under is null)
                (_under, _next) = (_next, Fresh());
        }
    }

    public void End(ulong version)
    {
        TaskCompletionSource<ulong> done;
        lock (_gate)
            (done, _under) = (_under!, null);
        done.SetResult(version);
    }

    private static TaskCompletionSource<ulong> Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
