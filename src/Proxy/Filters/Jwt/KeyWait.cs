namespace Weft.Proxy.Filters.Jwt;

/// <summary>
/// One exchange's wait for a fetch, which ends on another thread. The exchange's object is used again after its end, so a resumption that comes late would wake a stranger: the lock lets it come
/// before the end or not at all.
/// </summary>
internal sealed class KeyWait(IExchangeHost host)
{
    private readonly Lock _gate = new();

    public int Rounds { get; private set; }

    public bool IsOver { get; private set; }

    public void For(Task fetch)
    {
        Rounds++;
        _ = fetch.ContinueWith(_ => Resume(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    public void End()
    {
        lock (_gate)
            IsOver = true;
    }

    private void Resume()
    {
        lock (_gate)
        {
            if (!IsOver)
                host.Resume();
        }
    }
}
