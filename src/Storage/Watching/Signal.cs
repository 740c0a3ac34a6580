using System.Threading.Tasks.Sources;

namespace Weft.Storage.Watching;

/// <summary>Wakes the one reader of a watch. Several sets before it looks are one; a wake-up without a reason is possible. Waiting allocates nothing.</summary>
internal sealed class Signal : IValueTaskSource
{
    private const int Idle = 0, Raised = 1, Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private int _state;

    public Signal() => _core.RunContinuationsAsynchronously = true;

    public void Set()
    {
        while (true)
        {
            var state = Volatile.Read(ref _state);
            if (state == Raised)
                return;
            if (Interlocked.CompareExchange(ref _state, state == Idle ? Raised : Idle, state) != state)
                continue;
            if (state == Waiting)
                _core.SetResult(true);
            return;
        }
    }

    public ValueTask WaitAsync()
    {
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
            return new ValueTask(this, _core.Version);

        Volatile.Write(ref _state, Idle); // it was raised: that is what we waited for
        return default;
    }

    public void GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
