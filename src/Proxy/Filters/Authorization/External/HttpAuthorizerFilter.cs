using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Authorization.External;

/// <summary>Asks with the request's method, host, path and some fields. 2xx lets pass; another answer below 500 is the client's answer; 5xx is no answer.</summary>
internal sealed class HttpAuthorizerFilter(ExternalAuthorizationFilter config) : AuthorizerFilter(config)
{
    private readonly HeaderNames _client = new(config.ClientHeaders);
    private readonly byte[]? _host = config.Host is { } host ? Encoding.ASCII.GetBytes(host) : null;
    private readonly byte[]? _method = config.Method is { } method ? Encoding.ASCII.GetBytes(method) : null;
    private readonly byte[]? _path = config.Path is { } path ? Encoding.ASCII.GetBytes(path) : null;
    private readonly byte[] _prefix = Encoding.ASCII.GetBytes(config.PathPrefix.TrimEnd('/'));

    protected override IAsideQuestion Ask(ExchangeContext context, Question question)
    {
        var head = new RequestHead
        {
            Method = _method ?? context.Request.Method,
            Scheme = context.Request.Scheme,
            Authority = _host ?? context.Facts.Host.Authority,
            Target = _path ?? (byte[])[.. _prefix, .. context.Facts.Path.Target],
        };
        for (var i = 0; i < context.Request.Headers.Count; i++)
        {
            if (Seen.Contains(context.Request.Headers.Name(i)))
                head.Headers.Add(context.Request.Headers.Name(i), context.Request.Headers.Value(i));
        }

        if (_path is not null)
        {
            head.Headers.Set("x-original-method"u8, context.Request.Method);
            head.Headers.Set("x-original-url"u8, (byte[])[.. context.Request.Scheme, .. "://"u8, .. context.Facts.Host.Authority, .. context.Facts.Path.Target]);
            head.Headers.Set("x-forwarded-uri"u8, context.Facts.Path.Target);
        }

        head.Headers.Set("x-forwarded-for"u8, Encoding.ASCII.GetBytes(context.Facts.ClientAddress.ToString()));
        return context.Host.Ask(Config.Cluster, head, Config.Timeout, question);
    }

    protected override FilterVerdict Decide(ExchangeContext context, Question answered)
    {
        if (answered.Status is 0 or >= 500)
            return Fail(context);
        if (answered.Status is >= 200 and < 300)
        {
            Upstream.RemoveFrom(context.Request.Headers);
            CopyTo(context.Request.Headers, answered.Headers, Upstream);
            return FilterVerdict.Continue;
        }

        context.Respond(answered.Status, "ext_authz_denied");
        if (!context.IsGrpc)
        {
            CopyTo(context.Reply.Head.Headers, answered.Headers, _client);
            context.Reply.Body = answered.Body;
            context.Reply.Head.ContentLength = answered.Body.Length;
        }

        return FilterVerdict.Respond;
    }

    private static void CopyTo(HeaderList target, HeaderList source, HeaderNames names)
    {
        for (var i = 0; i < source.Count; i++)
        {
            if (names.Contains(source.Name(i)))
                target.Add(source.Name(i), source.Value(i));
        }
    }
}
