using System.Net.Sockets;
using System.Text;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Http;

public sealed class LimitsTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_body_above_three_mebibytes_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var body = $$$"""{"metadata":{"name":"a"},"spec":{"colour":"{{{new string('x', 3 * 1024 * 1024)}}}"}}""";
        var refused = (await server.PostAsync(Widgets, body)).Expect(413);
        Assert.Equal("RequestEntityTooLarge", refused.Reason);
        Assert.Equal("Request entity too large: limit is 3145728", refused.Message);
    }

    [Fact]
    public async Task More_writes_at_once_than_allowed_are_told_to_come_again_and_reads_and_watches_go_on()
    {
        await using var server = await TestServer.StartAsync(options: options => options with { MaxWritesInFlight = 1 });
        using var slow = new TcpClient();
        await slow.ConnectAsync(server.Host.Address.Host, server.Host.Address.Port);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Widgets} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 25\r\n\r\n{{"));

        using var refused = await Eventually.ValueAsync(async () =>
        {
            var answer = await server.Http.PostAsync(Widgets, new StringContent("{}"));
            if ((int)answer.StatusCode == 429)
                return answer;
            answer.Dispose(); // the slow one has not come in yet
            return null;
        });
        Assert.Equal(1, refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        (await server.GetAsync(Widgets)).Expect(200);
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1");
        Assert.Equal(200, watch.Code);

        await slow.GetStream().WriteAsync("\"metadata\":{\"name\":\"a\"}"u8.ToArray());
        await slow.GetStream().WriteAsync("}"u8.ToArray());
        using var reader = new StreamReader(slow.GetStream());
        Assert.StartsWith("HTTP/1.1 201", await Eventually.EndsAsync(reader.ReadLineAsync()), StringComparison.Ordinal);
        await Eventually.EndsAsync(reader.ReadToEndAsync());
        await Eventually.TrueAsync(async () => (await server.PostAsync(Widgets, """{"metadata":{"name":"b"}}""")).Code == 201);
    }

    [Fact]
    public async Task A_body_of_unknown_length_is_counted()
    {
        await using var server = await TestServer.StartAsync();
        using var message = new HttpRequestMessage(HttpMethod.Post, Widgets) { Content = new StreamContent(new MemoryStream(new byte[4 * 1024 * 1024])) };
        message.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        message.Headers.TransferEncodingChunked = true;
        using var response = await server.Http.SendAsync(message);
        Assert.Equal(413, (int)response.StatusCode);
    }

    [Fact]
    public async Task An_object_above_the_store_limit_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var body = $$$"""{"metadata":{"name":"a"},"spec":{"colour":"{{{new string('x', 1700 * 1024)}}}"}}""";
        (await server.PostAsync(Widgets, body)).Expect(413);
    }

    [Fact]
    public async Task Json_nested_ten_thousand_deep_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var body = "{\"metadata\":" + string.Concat(Enumerable.Repeat("{\"a\":", 10_000)) + "1" + new string('}', 10_001);
        var refused = (await server.PostAsync(Widgets, body)).Expect(400);
        Assert.Contains("nested deeper", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_yaml_alias_bomb_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 9; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        (await server.PostAsync(Widgets, bomb.ToString(), "application/yaml")).Expect(400);
    }

    [Theory]
    [InlineData("/api/v1/namespaces/default/../kube-system/secrets")]
    [InlineData("/api/v1/namespaces/default/%2e%2e/secrets")]
    [InlineData("/api/v1/namespaces/default%2Fkube-system/secrets")]
    [InlineData("/api/v1//namespaces")]
    [InlineData("/api/v1/namespaces/%00")]
    [InlineData("/api/v1/namespaces/%zz")]
    [InlineData("/api/v1/namespaces/a%5Cb")]
    [InlineData("/api/v1/namespaces/%ff")]
    public async Task A_path_with_tricks_is_refused(string target)
    {
        await using var server = await TestServer.StartAsync();
        var address = server.Host.Address;
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 400", await Testing.Eventually.EndsAsync(reader.ReadLineAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anonymous_callers_see_health_alone()
    {
        await using var server = await TestServer.StartAsync();
        server.Http.DefaultRequestHeaders.Add("X-Anonymous", "1");
        Assert.Equal("ok", (await server.GetAsync("/readyz")).Expect(200).Text);
        (await server.GetAsync("/version")).Expect(200);
        (await server.GetAsync("/livez/ping")).Expect(200);
        Assert.Equal("Unauthorized", (await server.GetAsync("/metrics")).Expect(401).Reason);
        (await server.GetAsync(Widgets)).Expect(401);
    }

    [Fact]
    public async Task A_failing_check_names_itself()
    {
        await using var server = await TestServer.StartAsync(parts: parts => parts with { Checks = [new("disk", () => "full"), new("fine", () => null)] });
        var failed = (await server.GetAsync("/readyz")).Expect(500);
        Assert.Equal("[+]ping ok\n[+]loops ok\n[-]disk failed: full\n[+]fine ok\nreadyz check failed\n", failed.Text);
        (await server.GetAsync("/readyz?exclude=disk")).Expect(200);
        (await server.GetAsync("/readyz/fine")).Expect(200);
        (await server.GetAsync("/readyz/disk")).Expect(500);
        (await server.GetAsync("/readyz/none")).Expect(404);
    }

    [Fact]
    public async Task A_loop_that_ends_makes_the_server_unwell()
    {
        await using var server = await TestServer.StartAsync(parts: parts => parts with { Loops = [_ => Task.FromException(new InvalidOperationException("lost"))] });
        await Testing.Eventually.TrueAsync(async () => (await server.GetAsync("/livez?verbose")).Text.Contains("[-]loops failed: lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_count_requests_by_resource_and_code()
    {
        await using var server = await TestServer.StartAsync();
        (await server.GetAsync($"{Widgets}/none")).Expect(404);
        (await server.GetAsync("/apis/made.up/v1/things/x")).Expect(404);
        var text = (await server.GetAsync("/metrics")).Expect(200).Text;
        Assert.Contains("apiserver_request_total{code=\"404\",verb=\"GET\",group=\"example.com\",version=\"v1\",resource=\"widgets\",subresource=\"\"} 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("made.up", text, StringComparison.Ordinal);
        Assert.Contains($"weft_store_revision {server.Store.Revision}\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/apis/example.com/v1/widgets")]
    [InlineData("PUT", Widgets)]
    [InlineData("OPTIONS", Widgets)]
    [InlineData("POST", Widgets + "/a")]
    public async Task A_verb_the_resource_lacks_is_not_allowed(string method, string path)
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("MethodNotAllowed", (await server.SendAsync(new HttpMethod(method), path, "{}")).Expect(405).Reason);
    }
}
