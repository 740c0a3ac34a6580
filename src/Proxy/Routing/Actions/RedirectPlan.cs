using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;

namespace Weft.Proxy.Routing.Actions;

/// <summary>
/// A compiled <see cref="RedirectAction"/>. The address is always whole (scheme and host), so no path of a client (`//elsewhere`) can become a host; its parts are the normalised ones,
/// in which there is no CR or LF to end the field with.
/// </summary>
internal sealed class RedirectPlan
{
    private readonly RedirectAction _action;
    private readonly PathRewrite? _path;
    private readonly string? _query;

    public RedirectPlan(RedirectAction action)
    {
        _action = action;
        var mark = action.Path?.IndexOf('?') ?? -1;
        _query = mark < 0 ? null : action.Path![mark..];
        _path = PathRewrite.Of(action.Prefix, mark < 0 ? action.Path : action.Path![..mark], action.Regex);
    }

    public FilterVerdict Respond(ExchangeContext context, int prefixLength)
    {
        var facts = context.Facts;
        ReadOnlySpan<byte> path = facts.Path.Path;
        if (_path is not null)
        {
            if (!_path.TryApply(path, prefixLength, out var rewritten))
                return context.Respond(400, "redirect_path_invalid");
            path = rewritten;
        }

        var scheme = _action.Scheme ?? Encoding.ASCII.GetString(facts.Head.Scheme);
        var location = new StringBuilder($"{scheme}://{_action.Host ?? Encoding.ASCII.GetString(facts.Host.Name)}");
        if (Port(facts, scheme) is var port and > 0)
            location.Append($":{port}");
        location.Append(Encoding.ASCII.GetString(path));
        if (_query is not null)
            location.Append(_query);
        else if (facts.Path.HasQuery && !_action.DropQuery)
            location.Append(Encoding.Latin1.GetString(facts.Path.Target[facts.Path.Path.Length..]));
        context.Reply.Set(_action.Status, default, default, grpc: false);
        context.Reply.Head.Headers.Add("location"u8, Encoding.Latin1.GetBytes(location.ToString()));
        context.Detail = "redirect";
        return FilterVerdict.Respond;
    }

    // The client's own port only where neither scheme nor host changes: `http://a:8080` to https is not on 8080.
    private int Port(RequestFacts facts, string scheme)
    {
        var port = _action.Port ?? (_action.Scheme is null && _action.Host is null ? facts.Host.Port : 0);
        return (scheme, port) is ("http", 80) or ("https", 443) ? 0 : port;
    }
}
