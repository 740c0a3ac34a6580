using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>
/// Asks the authorizer with the request's method, host, path and some fields. 2xx lets pass; another answer below 500 is the client's answer; without an answer, or with 5xx, the door is closed
/// unless it is configured to stay open.
/// </summary>
internal sealed class AskAuthorizerFilter(ExternalAuthorizationFilter config) : RequestFilter
{
    private readonly PolicyRule[] _when = [.. config.When.Select(r => new PolicyRule(r))];
    private readonly HeaderNames _ask = new(config.RequestHeaders);
    private readonly HeaderNames _upstream = new(config.UpstreamHeaders);
    private readonly HeaderNames _client = new(config.ClientHeaders);
    private readonly byte[]? _host = config.Host is { } host ? Encoding.ASCII.GetBytes(host) : null;
    private readonly byte[] _prefix = Encoding.ASCII.GetBytes(config.PathPrefix.TrimEnd('/'));

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        if (context.State is Question { Done: true } answered)
            return Decide(context, answered);
        if (!IsAsked(context))
            return FilterVerdict.Continue;
        var question = new Question(context.Host);
        context.State = question;
        question.Aside = context.Host.Ask(config.Cluster, Head(context), config.Timeout, question);
        return FilterVerdict.Suspend;
    }

    public override void OnEnd(ExchangeContext context)
    {
        if (context.State is Question { Done: false } question)
            question.Aside?.Cancel();
    }

    private bool IsAsked(ExchangeContext context)
    {
        var input = new PolicyInput(context.Connection, context.Facts, context.Identity, Unknown: true);
        foreach (var rule in _when)
        {
            if (rule.Matches(input))
                return true;
        }

        return _when.Length == 0;
    }

    private RequestHead Head(ExchangeContext context)
    {
        var head = new RequestHead
        {
            Method = context.Request.Method,
            Scheme = context.Request.Scheme,
            Authority = _host ?? context.Facts.Host.Authority,
            Target = (byte[])[.. _prefix, .. context.Facts.Path.Target],
        };
        for (var i = 0; i < context.Request.Headers.Count; i++)
        {
            if (_ask.Contains(context.Request.Headers.Name(i)))
                head.Headers.Add(context.Request.Headers.Name(i), context.Request.Headers.Value(i));
        }

        head.Headers.Set("x-forwarded-for"u8, Encoding.ASCII.GetBytes(context.Facts.ClientAddress.ToString()));
        return head;
    }

    private FilterVerdict Decide(ExchangeContext context, Question question)
    {
        context.Policy = config.Name;
        // What only the authorizer may say is taken from the client in any case, also when the authorizer says nothing.
        if (question.Status is 0 or >= 500)
        {
            _upstream.RemoveFrom(context.Request.Headers);
            return config.FailOpen ? FilterVerdict.Continue : context.Respond(config.ErrorStatus, "ext_authz_error", "access denied\n");
        }

        if (question.Status is >= 200 and < 300)
        {
            _upstream.RemoveFrom(context.Request.Headers);
            CopyTo(context.Request.Headers, question.Headers, _upstream);
            return FilterVerdict.Continue;
        }

        context.Respond(question.Status, "ext_authz_denied");
        if (!context.IsGrpc)
        {
            CopyTo(context.Reply.Head.Headers, question.Headers, _client);
            context.Reply.Body = question.Body;
            context.Reply.Head.ContentLength = question.Body.Length;
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

    private sealed class Question(IExchangeHost host) : IAsideHandler
    {
        private readonly long _ticket = host.Ticket;

        public IAsideQuestion? Aside { get; set; }

        public bool Done { get; private set; }

        /// <summary>0: no answer.</summary>
        public int Status { get; private set; }

        public HeaderList Headers { get; } = new();

        public byte[] Body { get; private set; } = [];

        public void OnAnswer(ResponseHead? answer, ReadOnlySpan<byte> body)
        {
            (Done, Status) = (true, answer?.Status ?? 0);
            answer?.Headers.CopyTo(Headers);
            Body = body.ToArray();
            host.Resume(_ticket);
        }
    }
}
