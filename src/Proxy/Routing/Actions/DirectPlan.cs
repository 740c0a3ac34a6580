using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A compiled <see cref="DirectResponse"/>.</summary>
internal sealed class DirectPlan(DirectResponse response)
{
    private readonly byte[] _body = Encoding.UTF8.GetBytes(response.Body);
    private readonly byte[] _type = Encoding.ASCII.GetBytes(response.ContentType);

    public FilterVerdict Respond(ExchangeContext context)
    {
        context.Reply.Set(response.Status, _body, _type, context.IsGrpc);
        context.Detail = ReferenceEquals(response, DirectResponse.NotFound) ? "route_not_found" : "direct_response";
        return FilterVerdict.Respond;
    }
}
