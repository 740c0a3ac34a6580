namespace Weft.Proxy.Filters;

/// <summary>One exchange's wait for work on another thread. The exchange may be over when that ends, and its object another request's: the ticket of this wait then wakes nobody.</summary>
internal sealed class ExchangeWait(IExchangeHost host)
{
    public int Rounds { get; private set; }

    /// <summary>On the loop, by the filter that suspends.</summary>
    public void For(Task work)
    {
        Rounds++;
        var ticket = host.Ticket;
        _ = work.ContinueWith(_ => host.Resume(ticket), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
