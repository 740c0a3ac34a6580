namespace Weft.Proxy.Filters;

/// <summary>Runs an exchange through its route's filters. A value of the exchange; its position outlives a suspension.</summary>
internal struct FilterChain(IFilter[] filters)
{
    private IFilter[] _filters = filters;
    private int _next;
    private int _asked;

    /// <summary>Goes on with more than there were, all of which have agreed.</summary>
    /// <param name="longer">Begins with those.</param>
    public void Extend(IFilter[] longer) => _filters = longer;

    /// <summary>From the filter that suspended, or from the first on. <see cref="FilterVerdict.Continue"/>: all have agreed.</summary>
    public FilterVerdict Run(ExchangeContext context)
    {
        while (_next < _filters.Length)
        {
            context.Running = _next;
            _asked = _next + 1;
            var verdict = _filters[_next].OnRequest(context);
            if (verdict == FilterVerdict.Suspend)
                return verdict;
            _next++;
            if (verdict == FilterVerdict.Respond)
            {
                _next = _filters.Length;
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
            _filters[i].OnResponse(context);
        }
    }

    public void End(ExchangeContext context)
    {
        while (_asked > 0)
        {
            context.Running = --_asked;
            _filters[_asked].OnEnd(context);
        }
    }
}
