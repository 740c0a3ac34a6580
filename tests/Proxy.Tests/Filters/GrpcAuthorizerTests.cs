using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters.Authorization.External;
using Weft.Proxy.Protobuf;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Filters;

/// <summary>envoy.service.auth.v3.Authorization/Check, with a gRPC server that reads and writes the messages by their numbers.</summary>
public sealed class GrpcAuthorizerTests
{
    [Fact]
    public async Task The_authorizer_sees_the_request_and_what_it_says_is_done()
    {
        var asked = new ConcurrentQueue<byte[]>();
        await using var authorizer = await AuthorizerAsync(question =>
        {
            asked.Enqueue(question);
            return Ok(Option(2, "x-user", "ada"), Option(2, "X-Group", "a", append: true), Option(6, "x-decided", "yes"), Text(5, "x-secret"));
        });
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        await using var proxy = await ProxyFixture.StartAsync(Config(endpoint, authorizer, new() { RequestHeaders = ["authorization", "x-many"], UpstreamHeaders = ["x-user", "x-role"] }));

        using var response = await SendAsync(proxy, "/a/../p?q=1", ("authorization", "Bearer t"), ("x-many", "1"), ("x-many", "2"), ("x-user", "root"), ("x-role", "admin"), ("x-group", "b"), ("x-secret", "s"));
        var seen = await Echo.SeenAsync(response);
        Assert.Equal(("ada", null, null), (seen["x-user"]!.ToString(), seen["x-role"]?.ToString(), seen["x-secret"]?.ToString()));
        Assert.Contains("a", seen["x-group"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("b", seen["x-group"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("yes", response.Headers.GetValues("x-decided").Single());

        var attributes = ProtobufFields.Of(ProtobufFields.Of(Assert.Single(asked))[1].Single());
        var http = ProtobufFields.Of(ProtobufFields.Of(attributes[4].Single())[2].Single());
        var fields = http[3].Select(ProtobufFields.Of).ToDictionary(pair => Utf8(pair[1].Single()), pair => Utf8(pair[2].Single()));
        Assert.Equal(("GET", "/p?q=1", "http"), (Utf8(http[2].Single()), Utf8(http[4].Single()), Utf8(http[6].Single())));
        Assert.Equal(("Bearer t", "1, 2", "127.0.0.1", "GET"), (fields["authorization"], fields["x-many"], fields["x-forwarded-for"], fields[":method"]));
        Assert.DoesNotContain("x-secret", fields.Keys);
        var source = ProtobufFields.Of(ProtobufFields.Of(ProtobufFields.Of(attributes[1].Single())[1].Single())[1].Single());
        Assert.Equal("127.0.0.1", Utf8(source[2].Single()));
    }

    [Fact]
    public async Task A_refusal_is_the_clients_answer()
    {
        await using var authorizer = await AuthorizerAsync(_ => Denied(401, "who are you?", Option(2, "www-authenticate", "Bearer"), Option(2, "content-length", "99"), Option(2, "x-bad", "a\r\nb: c")));
        await using var endpoint = await ProxyFixture.ServerAsync(_ => throw new InvalidOperationException("nothing may reach it"));
        await using var proxy = await ProxyFixture.StartAsync(Config(endpoint, authorizer));

        using var response = await SendAsync(proxy, "/");
        Assert.Equal((HttpStatusCode.Unauthorized, "who are you?", "Bearer"), (
            response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Headers.WwwAuthenticate.ToString()));
        Assert.False(response.Headers.Contains("x-bad"));

        using var call = new HttpRequestMessage(HttpMethod.Post, proxy.Url()) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent([]) };
        call.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var refused = await proxy.Client.SendAsync(call, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "16"), (refused.StatusCode, refused.Headers.GetValues("grpc-status").Single()));
        await Eventually.TrueAsync(() => proxy.Records().Contains("ext_authz_denied", StringComparison.Ordinal) && proxy.Records().Contains("\"UAEX\"", StringComparison.Ordinal), state: proxy.Records);
    }

    [Theory]
    [InlineData("empty message")]
    [InlineData("damaged")]
    [InlineData("longer than said")]
    [InlineData("compressed")]
    [InlineData("status 13")]
    [InlineData("http 503")]
    [InlineData("framing field")]
    [InlineData("late")]
    [InlineData("away")]
    public async Task What_is_no_good_answer_closes_the_door_and_one_that_fails_open_lets_pass(string how)
    {
        await using var authorizer = await ProxyFixture.ServerAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            if (how == "late")
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            context.Response.ContentType = "application/grpc";
            context.Response.StatusCode = how == "http 503" ? 503 : 200;
            context.Response.AppendTrailer("grpc-status", how == "status 13" ? "13" : "0");
            byte[] message = how switch { "empty message" => [], "damaged" => [0x1A, 0x7F], "framing field" => Ok(Option(2, "transfer-encoding", "chunked")), _ => Ok() };
            await context.Response.Body.WriteAsync((byte[])[how == "compressed" ? (byte)1 : (byte)0, 0, 0, 0, (byte)(message.Length + (how == "longer than said" ? -1 : 0)), .. message]);
        }, HttpProtocols.Http2);
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        if (how == "away")
            await authorizer.StopAsync(TestContext.Current.CancellationToken);
        foreach (var (open, status) in new[] { (false, HttpStatusCode.Forbidden), (true, HttpStatusCode.OK) })
        {
            await using var proxy = await ProxyFixture.StartAsync(Config(endpoint, authorizer, new() { FailOpen = open, UpstreamHeaders = ["x-user"] }, how == "late" ? 100 : 30_000));
            using var response = await SendAsync(proxy, "/", ("x-user", "root"));
            Assert.Equal(status, response.StatusCode);
            if (open)
                Assert.DoesNotContain("x-user", await Echo.SeenAsync(response));
        }
    }

    [Fact]
    public void Any_bytes_are_an_answer_or_none_and_a_cut_one_never_allows()
    {
        var whole = Ok(Option(2, "x-user", "ada"), Option(6, "x-decided", "yes"));
        Assert.True(CheckAnswer.Read(whole)!.Allowed);
        for (var length = 0; length < whole.Length; length++)
            Assert.True(CheckAnswer.Read(whole.AsMemory(0, length)) is null or { Fields.Count: 0 }, $"cut at {length}");
        var random = new Random(5);
        var bytes = new byte[60];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            whole.AsSpan(0, random.Next(whole.Length)).CopyTo(bytes);
            _ = CheckAnswer.Read(bytes.AsMemory(0, random.Next(bytes.Length)));
        }
    }

    [Fact]
    public async Task A_path_before_is_of_http_alone()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => ProxyFixture.StartAsync(Config(endpoint, endpoint, new() { PathPrefix = "/verify" })));
        Assert.Contains("pathPrefix: is for protocol: http", Assert.Single(refusal.Errors), StringComparison.Ordinal);
    }

    private static ProxyConfig Config(WebApplication endpoint, WebApplication authorizer, ExternalAuthorizationFilter? filter = null, int milliseconds = 30_000)
    {
        var config = Echo.Config(endpoint, (filter ?? new()) with { Name = "policy", Cluster = "authorizer", Protocol = AuthorizerProtocol.Grpc, Timeout = TimeSpan.FromMilliseconds(milliseconds) });
        var urls = authorizer.Urls.FirstOrDefault();
        // One that has stopped has no address any more.
        return config with { Clusters = [.. config.Clusters, urls is null ? new ClusterConfig { Name = "authorizer" } : ProxyFixture.Cluster("authorizer", authorizer)] };
    }

    private static Task<WebApplication> AuthorizerAsync(Func<byte[], byte[]> answer) => ProxyFixture.ServerAsync(async context =>
    {
        Assert.Equal(("/envoy.service.auth.v3.Authorization/Check", "application/grpc"), (context.Request.Path.ToString(), context.Request.ContentType));
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        context.Response.ContentType = "application/grpc";
        context.Response.AppendTrailer("grpc-status", "0");
        var message = answer(body.ToArray()[5..]);
        await context.Response.Body.WriteAsync((byte[])[0, 0, 0, 0, (byte)message.Length, .. message]);
    }, HttpProtocols.Http2);

    private static byte[] Ok(params Action<ProtobufWriter>[] parts) => Answer(0, 3, parts);

    private static byte[] Denied(int status, string body, params Action<ProtobufWriter>[] parts) => Answer(7, 2, [Code(status), .. parts, Text(3, body)]);

    private static Action<ProtobufWriter> Code(int status) => denied =>
    {
        var code = new ProtobufWriter();
        code.Number(1, status);
        denied.Message(1, code);
    };

    private static byte[] Answer(int code, int field, Action<ProtobufWriter>[] parts)
    {
        var (answer, status, inner) = (new ProtobufWriter(), new ProtobufWriter(), new ProtobufWriter());
        if (code != 0)
            status.Number(1, code);
        answer.Message(1, status);
        foreach (var part in parts)
            part(inner);
        answer.Message(field, inner);
        return answer.Written.ToArray();
    }

    private static Action<ProtobufWriter> Option(int field, string name, string value, bool append = false) => to =>
    {
        var (pair, option, flag) = (new ProtobufWriter(), new ProtobufWriter(), new ProtobufWriter());
        pair.Text(1, name);
        pair.Text(2, value);
        option.Message(1, pair);
        if (append)
        {
            flag.Number(1, 1);
            option.Message(2, flag);
        }

        to.Message(field, option);
    };

    private static Action<ProtobufWriter> Text(int field, string text) => to => to.Text(field, text);

    private static string Utf8(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string path, params (string, string)[] fields) => Echo.SendAsync(proxy, path, fields, TestContext.Current.CancellationToken);
}
