using System.Buffers.Binary;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters.Authorization.External;

/// <summary>Asks by `envoy.service.auth.v3.Authorization/Check`, as Envoy and Istio do, so that their authorizers can be used as they are.</summary>
internal sealed class GrpcAuthorizerFilter(ExternalAuthorizationFilter config) : AuthorizerFilter(config)
{
    // "Length-Prefixed-Message" of gRPC over HTTP/2: a byte for compression, four for the length.
    private const int Prefix = 5;
    private readonly byte[] _host = Encoding.ASCII.GetBytes(config.Host ?? config.Cluster);
    private readonly byte[] _timeout = Encoding.ASCII.GetBytes($"{Math.Clamp((long)config.Timeout.TotalMilliseconds, 1, 99_999_999)}m");

    protected override IAsideQuestion Ask(ExchangeContext context, Question question)
    {
        var message = CheckRequest.Write(context, Seen);
        var body = new byte[Prefix + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), message.Length);
        message.Span.CopyTo(body.AsSpan(Prefix));
        var head = new RequestHead { Method = "POST"u8, Scheme = "http"u8, Authority = _host, Target = "/envoy.service.auth.v3.Authorization/Check"u8, ContentLength = body.Length };
        head.Headers.Add("content-type"u8, "application/grpc"u8);
        head.Headers.Add("te"u8, "trailers"u8);
        head.Headers.Add("grpc-timeout"u8, _timeout);
        return context.Host.Ask(Config.Cluster, head, Config.Timeout, question, body);
    }

    protected override FilterVerdict Decide(ExchangeContext context, Question answered)
    {
        if (answered.Status != 200 || GrpcStatuses.In(answered.Headers) != 0 || Message(answered.Body) is not { } message || CheckAnswer.Read(message) is not { } answer)
            return Fail(context);
        answered.Outcome = answer;
        return answer.Allowed ? Allow(context, answer) : Refuse(context, answer);
    }

    public override void OnResponse(ExchangeContext context)
    {
        if (context.State is Question { Outcome: CheckAnswer { Allowed: true } answer })
            Apply(answer.ResponseFields, context.Response.Headers);
    }

    private FilterVerdict Allow(ExchangeContext context, CheckAnswer answer)
    {
        var headers = context.Request.Headers;
        Upstream.RemoveFrom(headers);
        foreach (var name in answer.Removed)
            headers.Remove(name);
        Apply(answer.Fields, headers);
        return FilterVerdict.Continue;
    }

    private static FilterVerdict Refuse(ExchangeContext context, CheckAnswer answer)
    {
        context.Respond(answer.Status, "ext_authz_denied");
        if (!context.IsGrpc)
        {
            Apply(answer.Fields, context.Reply.Head.Headers);
            context.Reply.Body = answer.Body;
            context.Reply.Head.ContentLength = answer.Body.Length;
        }

        return FilterVerdict.Respond;
    }

    private static void Apply(IReadOnlyList<CheckField> fields, HeaderList headers)
    {
        foreach (var field in fields)
        {
            if (field.Append)
                headers.Add(field.Name, field.Value);
            else
                headers.Set(field.Name, field.Value);
        }
    }

    // One message, not compressed, and nothing behind it.
    private static ReadOnlyMemory<byte>? Message(byte[] body) =>
        body.Length >= Prefix && body[0] == 0 && BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(1)) == (uint)(body.Length - Prefix) ? body.AsMemory(Prefix) : null;
}
