namespace Weft.Proxy.Filters;

/// <summary>Runs an exchange through its route's filters. A value of the exchange; its position outlives a suspension.</summary>
internal struct FilterChain(IFilter[] filters)
{
    private int _next;
    private int _asked;

    /// <summary>From the filter that suspended, or from the first on. <see cref="FilterVerdict.Continue"/>: all have agreed.</summary>
    public FilterVerdict Run(ExchangeContext context)
    {
        while (_next < filters.Length)
        {
            context.Running = _next;
            _asked = _next + 1;
            var verdict = filters[_next].OnRequest(context);
            if (verdict == FilterVerdict.Suspend)
                return verdict;
            _next++;
            if (verdict == FilterVerdict.Respond)
            {
                _next = filters.Length;
                return verdict;
            }
        }

        return FilterVerdict.Continue;
    }

    /// <summary>The answer passes the filters that saw the request, in the opposite order.</summary>
    public readonly void Respond(ExchangeContext context)
    {
        for (var i = _asked - 1; i >= 0; i--)
        {
            context.Running = i;
            filters[i].OnResponse(context);
        }
    }

    public void End(ExchangeContext context)
    {
        while (_asked > 0)
        {
            context.Running = --_asked;
            filters[_asked].OnEnd(context);
        }
    }
}
