using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;
using Weft.Proxy.Http;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Access.Text;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class AccessTextTests
{
    private readonly InternTable<string> _names = new("", 100);

    [Fact]
    public void The_default_is_istios_line()
    {
        var line = Line(LogTemplate.Istio, Record(), new AccessTexts { Method = "GET"u8, Authority = "shop"u8, Path = "/cart?x=1"u8, UserAgent = "curl/8"u8, RequestId = "id-1"u8 });

        Assert.Equal(
            "[1970-01-01T00:00:01.500Z] \"GET /cart?x=1 HTTP/1.1\" 503 UF,URX upstream_connection_failure - \"-\" 3 4 2 - \"-\" \"curl/8\" \"id-1\" \"shop\" \"10.0.0.9:80\" carts - 192.0.2.1:8080 "
            + "192.0.2.7:4711 - all\n",
            line);
    }

    [Theory]
    [InlineData("100%% %RESPONSE_CODE%", "100% 503\n")]
    [InlineData("%REQ(X-A?:METHOD)% %REQ(X-A?X-B)%", "GET -\n")]
    [InlineData("%REQ(USER-AGENT):3%|%REQ(:PATH):5%", "cur|/cart\n")]
    [InlineData("%START_TIME(%Y/%m/%d %T.%6f %s)%", "1970/01/01 00:00:01.500000 1\n")]
    [InlineData("%GRPC_STATUS% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER%", "Unavailable 14 14\n")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT% %UPSTREAM_REQUEST_ATTEMPT_COUNT%", "192.0.2.7 8080 2\n")]
    [InlineData("%TRACE_ID% %RESPONSE_CODE_DETAILS%", "000000000000000000000000000000ab upstream_connection_failure\n")]
    public void Operators(string template, string line)
        => Assert.Equal(line, Line(template, Record() with { GrpcStatus = 14, TraceId = 0xAB }, new AccessTexts { Method = "GET"u8, Path = "/cart"u8, UserAgent = "curl/8"u8 }));

    [Theory]
    [InlineData("%NOTHING%", "at character 1: %NOTHING% is not known")]
    [InlineData("a %RESPONSE_CODE% %DYNAMIC_METADATA(a:b)%", "at character 19:")]
    [InlineData("%RESPONSE_CODE", "at character 1: begins an operator that does not end")]
    [InlineData("%REQ(X%", "at character 1: REQ( has no closing parenthesis")]
    [InlineData("%REQ%", "at character 1: REQ needs the name of a field")]
    [InlineData("%REQ(:STATUS)%", "at character 1: ':STATUS' is not known")]
    [InlineData("%REQ(A B)%", "at character 1: 'A B' is no name of a field")]
    [InlineData("%REQ(Authorization)%", "at character 1: 'Authorization' holds credentials")]
    [InlineData("%RESP(set-cookie)%", "at character 1: 'set-cookie' holds credentials")]
    [InlineData("%REQ(X):0%", "at character 1: REQ has a length")]
    [InlineData("%REQ(X)Z%", "at character 1: REQ does not end")]
    [InlineData("%START_TIME(%q)%", "at character 1: '%q'")]
    [InlineData("%PROTOCOL(X)%", "at character 1: PROTOCOL does not take (X)")]
    public void What_is_not_known_is_an_error_with_its_place(string template, string error)
        => Assert.StartsWith(error, Assert.Throws<ArgumentException>(() => LogTemplate.Parse(template)).Message, StringComparison.Ordinal);

    [Fact]
    public void In_a_file_it_is_an_error_of_its_line()
    {
        var errors = ProxyFile.Read("accessLog:\n  format: text\n  template: '%NO%'\n").Errors;
        Assert.StartsWith("line 3: accessLog.template: at character 1:", Assert.Single(errors).ToString(), StringComparison.Ordinal);
        Assert.Contains("is for format: text", Assert.Single(ProxyFile.Read("accessLog: {template: '%PROTOCOL%'}\n").Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_bytes_of_a_client_end_a_line_or_a_quoted_value()
    {
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var fields = new byte[LogFields.MaxBytes];
        var headers = new HeaderList();
        headers.Add("x-a"u8, all);
        var template = LogTemplate.Parse("\"%REQ(:METHOD)%\" \"%REQ(:PATH)%\" \"%REQ(:AUTHORITY)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQUESTED_SERVER_NAME%\" \"%REQ(X-A)%\"");
        var used = template.Fields.Capture(headers, response: false, fields, 0);
        var line = Line(template, Record(), new AccessTexts
        {
            Method = all, Path = all, Authority = all, UserAgent = all, ForwardedFor = all, RequestId = all, ServerName = all, Fields = fields.AsSpan(0, used),
        });

        Assert.All(line[..^1], c => Assert.InRange(c, ' ', '~'));
        Assert.EndsWith("\n", line, StringComparison.Ordinal);
        // Quotes that are not escaped are those of the template.
        Assert.Equal(16, line.Replace("\\\\", "", StringComparison.Ordinal).Replace("\\\"", "", StringComparison.Ordinal).Count(c => c == '"'));
        Assert.Contains("\\x0A", line, StringComparison.Ordinal);
        Assert.Contains("\\x1B", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_of_requests_and_answers_get_into_the_lines_of_an_engine()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(context =>
        {
            context.Response.Headers["x-cache"] = "HIT \"1\"";
            return context.Response.WriteAsync("body");
        });
        var config = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }] })], ProxyFixture.Cluster("web", endpoint));
        var log = new AccessLogConfig { Format = AccessLogFormat.Text, Template = "%REQ(X-TENANT)% %REQ(X-NONE?X-TENANT):2% \"%RESP(X-Cache)%\" %RESPONSE_CODE% %BYTES_SENT% %ROUTE_NAME% %DOWNSTREAM_LOCAL_ADDRESS%" };
        await using var proxy = await ProxyFixture.StartAsync(config with { AccessLog = log });

        using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url("/a")) { Headers = { { "x-tenant", "acme" } } };
        using var response = await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var line = $"acme ac \"HIT \\\"1\\\"\" 200 4 all {proxy.Address}\n";
        await Eventually.TrueAsync(() => proxy.Records() == line, state: proxy.Records);

        // The next configuration's form is that of the next lines.
        await proxy.Engine.ApplyAsync(config);
        using var again = await proxy.GetAsync("/b");
        await Eventually.TrueAsync(() => proxy.Records().Contains("\"path\":\"/b\"", StringComparison.Ordinal), state: proxy.Records);
    }

    private string Line(string template, AccessRecord record, in AccessTexts texts) => Line(LogTemplate.Parse(template), record, texts);

    private string Line(LogTemplate template, in AccessRecord record, in AccessTexts texts)
    {
        var to = new ArrayBufferWriter<byte>();
        new AccessText(template, _names).Write(record, texts, to);
        return Encoding.Latin1.GetString(to.WrittenSpan);
    }

    private AccessRecord Record()
    {
        var record = new AccessRecord
        {
            StartMicroseconds = 1_500_000,
            DurationMicroseconds = 2500,
            UpstreamMicroseconds = -1,
            RequestBytes = 3,
            ResponseBytes = 4,
            ClientAddress = ((UInt128)0xFFFF << 32) | 0xC0000207,
            ClientPort = 4711,
            LocalAddress = ((UInt128)0xFFFF << 32) | 0xC0000201,
            LocalPort = 8080,
            Flags = ResponseFlags.UpstreamConnectionFailure | ResponseFlags.RetryLimit,
            Detail = _names.Intern("upstream_connection_failure"),
            Cluster = _names.Intern("carts"),
            Route = _names.Intern("all"),
            Status = 503,
            GrpcStatus = -1,
            HttpVersion = 11,
        };
        record.AddTry(new Try(_names.Intern("10.0.0.8:80"), 100, 0, TryOutcome.ConnectFailed));
        record.AddTry(new Try(_names.Intern("10.0.0.9:80"), 200, 0, TryOutcome.ConnectFailed));
        return record;
    }
}
