namespace Weft.Proxy.Filters;

internal enum FilterVerdict
{
    /// <summary>On to the next.</summary>
    Continue,

    /// <summary>The answer is in <see cref="ExchangeContext.Reply"/>; no further filter is asked, and those that were asked see the answer.</summary>
    Respond,

    /// <summary>
    /// Not yet: the filter has arranged to be called again by the exchange's host, at <see cref="OnRequest"/> of the same filter. Body and trailers wait meanwhile.
    /// </summary>
    Suspend,
}

/// <summary>
/// One thing that is done to the requests of a route. Made when a configuration is compiled, shared by all loops: what belongs to one exchange is in
/// <see cref="ExchangeContext.State"/>, what is shared must be safe for threads.
/// </summary>
internal interface IFilter
{
    FilterVerdict OnRequest(ExchangeContext context);

    /// <summary>The head of the answer, from the endpoint or from this proxy, before it goes to the client. Informational heads are not shown.</summary>
    void OnResponse(ExchangeContext context);

    /// <summary>The exchange is over, whatever came of it; only when its <see cref="OnRequest"/> was called. What the filter waits for must be let go.</summary>
    void OnEnd(ExchangeContext context);
}

/// <summary>A filter that is needed at requests alone.</summary>
internal abstract class RequestFilter : IFilter
{
    public abstract FilterVerdict OnRequest(ExchangeContext context);

    public virtual void OnResponse(ExchangeContext context)
    {
    }

    public virtual void OnEnd(ExchangeContext context)
    {
    }
}
