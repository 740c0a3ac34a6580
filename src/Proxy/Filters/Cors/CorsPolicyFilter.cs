using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Cors;

/// <summary>The server's side of the Fetch standard's CORS protocol. What the endpoint itself says about it is replaced: two answers to one question are none.</summary>
internal sealed class CorsPolicyFilter(CorsFilter config) : RequestFilter
{
    private static readonly object Allowed = new();
    private static readonly HeaderNames Permissions = new(["access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"]);

    private readonly TextMatcher[] _origins = [.. config.AllowOrigins.Where(o => o != StringMatch.Exact("*")).Select(o => new TextMatcher(o with { IgnoreCase = true }))];
    private readonly bool _anyOrigin = config.AllowOrigins.Contains(StringMatch.Exact("*"));
    private readonly bool _anyMethod = config.AllowMethods.Contains("*");
    private readonly bool _anyHeader = config.AllowHeaders.Contains("*");
    private readonly byte[] _methods = Encoding.ASCII.GetBytes(string.Join(", ", config.AllowMethods));
    private readonly byte[] _headers = Encoding.ASCII.GetBytes(string.Join(", ", config.AllowHeaders));
    private readonly byte[] _exposed = Encoding.ASCII.GetBytes(string.Join(", ", config.ExposeHeaders));
    private readonly byte[]? _maxAge = config.MaxAge is { } age ? Encoding.ASCII.GetBytes(((long)age.TotalSeconds).ToString()) : null;

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var headers = context.Request.Headers;
        if (!headers.TryGet(KnownHeader.Origin, out var origin))
            return FilterVerdict.Continue;
        var allowed = Allows(origin);
        if (!context.Request.Method.SequenceEqual("OPTIONS"u8) || !headers.TryGet(KnownHeader.AccessControlRequestMethod, out var method))
        {
            context.State = allowed ? Allowed : null;
            return FilterVerdict.Continue;
        }

        if (!allowed)
            return config.ForwardUnmatchedPreflights ? FilterVerdict.Continue : context.Respond(403, "cors_origin_refused");
        context.Reply.Set(200, default, default, grpc: false);
        var reply = context.Reply.Head.Headers;
        Permit(reply, origin);
        if (_anyMethod)
            reply.Add("access-control-allow-methods"u8, method);
        else if (_methods.Length > 0)
            reply.Add("access-control-allow-methods"u8, _methods);
        // `*` means nothing beside credentials (Fetch standard, section 3.3.3): what is asked for is named.
        if (_anyHeader && headers.TryGet(KnownHeader.AccessControlRequestHeaders, out var asked))
            reply.Add("access-control-allow-headers"u8, asked);
        else if (!_anyHeader && _headers.Length > 0)
            reply.Add("access-control-allow-headers"u8, _headers);
        if (_maxAge is not null)
            reply.Add("access-control-max-age"u8, _maxAge);
        reply.Add("vary"u8, "origin, access-control-request-method, access-control-request-headers"u8);
        context.Detail = "cors_preflight";
        return FilterVerdict.Respond;
    }

    public override void OnResponse(ExchangeContext context)
    {
        // The answer to a preflight was made above and has no state.
        if (context.State is null || !context.Request.Headers.TryGet(KnownHeader.Origin, out var origin))
            return;
        var headers = context.Response.Headers;
        Permissions.RemoveFrom(headers);
        Permit(headers, origin);
        if (_exposed.Length > 0)
            headers.Add("access-control-expose-headers"u8, _exposed);
        if (!IsPublic)
            headers.Add("vary"u8, "origin"u8);
    }

    private bool IsPublic => _anyOrigin && !config.AllowCredentials;

    private void Permit(HeaderList headers, ReadOnlySpan<byte> origin)
    {
        headers.Add("access-control-allow-origin"u8, IsPublic ? "*"u8 : origin);
        if (config.AllowCredentials)
            headers.Add("access-control-allow-credentials"u8, "true"u8);
    }

    private bool Allows(ReadOnlySpan<byte> origin)
    {
        foreach (var allowed in _origins)
        {
            if (allowed.Matches(origin))
                return true;
        }

        return _anyOrigin;
    }
}
