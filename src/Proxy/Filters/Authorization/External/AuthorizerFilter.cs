using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Authorization.External;

/// <summary>Asks another server whether a request may pass. Without an answer, or with one that is none, the door is closed unless it is configured to stay open.</summary>
internal abstract class AuthorizerFilter(ExternalAuthorizationFilter config) : RequestFilter
{
    private readonly PolicyRule[] _when = [.. config.When.Select(r => new PolicyRule(r))];
    private readonly HeaderNames _upstream = new(config.UpstreamHeaders);

    protected ExternalAuthorizationFilter Config => config;

    /// <summary>Fields of a request that the authorizer sees.</summary>
    protected HeaderNames Seen { get; } = new(config.RequestHeaders);

    /// <summary>Fields that only the authorizer may say.</summary>
    protected HeaderNames Upstream => _upstream;

    public static AuthorizerFilter Create(ExternalAuthorizationFilter config) => config.Protocol == AuthorizerProtocol.Grpc ? new GrpcAuthorizerFilter(config) : new HttpAuthorizerFilter(config);

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        if (context.State is Question { Done: true } answered)
        {
            context.Policy = config.Name;
            return Decide(context, answered);
        }

        if (!IsAsked(context))
        {
            _upstream.RemoveFrom(context.Request.Headers);
            return FilterVerdict.Continue;
        }

        var question = new Question(context.Host);
        context.State = question;
        question.Aside = Ask(context, question);
        return FilterVerdict.Suspend;
    }

    public override void OnEnd(ExchangeContext context)
    {
        if (context.State is Question { Done: false } question)
            question.Aside?.Cancel();
    }

    protected abstract IAsideQuestion Ask(ExchangeContext context, Question question);

    protected abstract FilterVerdict Decide(ExchangeContext context, Question answered);

    /// <summary>There is no answer that says anything. What only the authorizer may say is taken from the client also then.</summary>
    protected FilterVerdict Fail(ExchangeContext context)
    {
        _upstream.RemoveFrom(context.Request.Headers);
        return config.FailOpen ? FilterVerdict.Continue : context.Respond(config.ErrorStatus, "ext_authz_error", "access denied\n");
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

    protected sealed class Question(IExchangeHost host) : IAsideHandler
    {
        private readonly long _ticket = host.Ticket;

        public IAsideQuestion? Aside { get; set; }

        public bool Done { get; private set; }

        /// <summary>0: no answer.</summary>
        public int Status { get; private set; }

        /// <summary>And trailers.</summary>
        public HeaderList Headers { get; } = new();

        public byte[] Body { get; private set; } = [];

        /// <summary>What a filter has made of it, for the response.</summary>
        public object? Outcome { get; set; }

        public void OnAnswer(ResponseHead? answer, ReadOnlySpan<byte> body)
        {
            (Done, Status) = (true, answer?.Status ?? 0);
            answer?.Headers.CopyTo(Headers);
            Body = body.ToArray();
            host.Resume(_ticket);
        }
    }
}
