using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Headers;

internal sealed class HeaderEditFilter(HeaderFilter config) : RequestFilter
{
    private readonly HeaderEditor? _request = HeaderEditor.Of(config.Request);
    private readonly HeaderEditor? _response = HeaderEditor.Of(config.Response);

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        _request?.EditRequest(context);
        return FilterVerdict.Continue;
    }

    public override void OnResponse(ExchangeContext context) => _response?.EditResponse(context);
}
