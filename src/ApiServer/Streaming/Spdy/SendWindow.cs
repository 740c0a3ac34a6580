namespace Weft.ApiServer.Streaming.Spdy;

/// <summary>
/// How much may be sent before the peer says that it has read (SPDY/3.1 draft, section 2.6.8). Until <see cref="Enforce"/> it lets everything
/// through: the SPDY library behind kubectl never sends WINDOW_UPDATE, and TCP alone pushes back there. Peers that announce a window get it kept.
/// </summary>
internal sealed class SendWindow(int initial)
{
    private readonly Lock _gate = new();
    private long _left = initial;
    private bool _enforced;
    private TaskCompletionSource? _waiting;

    public void Enforce()
    {
        lock (_gate)
            _enforced = true;
    }

    /// <summary>False when the window would grow beyond 2^31-1, which is the peer's error.</summary>
    public bool TryGrow(int delta)
    {
        TaskCompletionSource? wake;
        lock (_gate)
        {
            if (_left + delta > int.MaxValue)
                return false;
            _left += delta;
            wake = _waiting;
            _waiting = null;
        }

        wake?.TrySetResult();
        return true;
    }

    /// <summary>Takes up to <paramref name="wanted"/> bytes of the window, waiting until there is at least one.</summary>
    public async ValueTask<int> TakeAsync(int wanted, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_gate)
            {
                if (!_enforced || _left > 0)
                {
                    var taken = _enforced ? (int)Math.Min(wanted, _left) : wanted;
                    _left = Math.Max(_left - taken, int.MinValue);
                    return taken;
                }

                _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _waiting.Task;
            }

            await wait.WaitAsync(cancellationToken);
        }
    }
}
