using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters;

/// <summary>What announces too much is refused at once; what says nothing of its length is counted by the exchange, which knows <see cref="ExchangeContext.MaxRequestBytes"/>.</summary>
internal sealed class RequestSizeFilter(BodyLimitFilter config) : RequestFilter
{
    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var max = context.MaxRequestBytes == 0 ? config.MaxRequestBytes : Math.Min(context.MaxRequestBytes, config.MaxRequestBytes);
        context.MaxRequestBytes = max;
        return context.Request.ContentLength > max ? context.Respond(413, "request_too_large", "request body too large\n") : FilterVerdict.Continue;
    }
}
