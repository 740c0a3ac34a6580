using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Balancing.Health;
using Weft.Proxy.Config.Model;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

public sealed class ForwardingTests
{
    [Fact]
    public async Task A_request_goes_through_with_what_the_endpoint_should_know()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async context =>
        {
            context.Response.Headers["x-echo"] = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Headers["x-forwarded-for"]} {context.Request.Headers["x-forwarded-proto"]} {context.Request.Headers["x-request-id"].ToString().Length}";
            await context.Response.WriteAsync("hello " + context.Request.Host);
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);

        using var response = await proxy.GetAsync("/a/../b%41?x=1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("GET /bA?x=1 127.0.0.1 http 36", response.Headers.GetValues("x-echo").Single());
        Assert.Equal($"hello {proxy.Address}", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(10_000_000)]
    public async Task Bodies_arrive_whole_in_both_directions(int size)
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        var body = RandomNumberGenerator.GetBytes(size);

        using var response = await proxy.Client.PostAsync(proxy.Url(), new ByteArrayContent(body), TestContext.Current.CancellationToken);

        Assert.Equal(body, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Round_robin_takes_turns_and_a_canary_its_share()
    {
        var (one, first) = await ProxyFixture.ServeAsync("one", context => context.Response.WriteAsync("one"));
        var (two, second) = await ProxyFixture.ServeAsync("two", context => context.Response.WriteAsync("two"));
        await using var ownFirst = first;
        await using var ownSecond = second;
        await using var proxy = await ProxyFixture.StartAsync(ProxyFixture.Cluster("both", first, second));
        var turns = new List<string>();
        for (var i = 0; i < 20; i++)
            turns.Add(await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));
        Assert.Equal(10, turns.Count(turn => turn == "one"));

        await proxy.ApplyAsync([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "one", Weight = 90 }, new() { Cluster = "two", Weight = 10 }] })], one, two);
        var canary = 0;
        for (var i = 0; i < 1000; i++)
            canary += await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken) == "two" ? 1 : 0;

        // 100 expected, 9.5 the standard deviation.
        Assert.InRange(canary, 60, 140);
    }

    [Fact]
    public async Task A_failed_answer_is_tried_again_elsewhere()
    {
        await using var bad = await ProxyFixture.ServerAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        await using var good = await ProxyFixture.ServerAsync(context => context.Request.Body.CopyToAsync(context.Response.Body));
        var retry = new RetryPolicy { On = RetryOn.ServerError, Attempts = 2, NonIdempotent = true };
        await using var proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "both" }], Retry = retry }), ProxyFixture.Cluster("both", bad, good));

        for (var i = 0; i < 10; i++)
        {
            using var response = await proxy.Client.PostAsync(proxy.Url(), new StringContent("the body"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("the body", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await Eventually.TrueAsync(() => proxy.Records().Contains("\"outcome\":\"answered\",\"status\":503", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_endpoint_that_refuses_connections_costs_no_request_and_is_taken_out()
    {
        await using var good = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("good"));
        var gone = await ProxyFixture.ServerAsync(context => Task.CompletedTask);
        var cluster = ProxyFixture.Cluster("both", gone, good) with { Outliers = OutlierSettings.Default with { MaxEjectionPercent = 50 } };
        await gone.DisposeAsync();
        await using var proxy = await ProxyFixture.StartAsync(cluster);

        for (var i = 0; i < 30; i++)
            Assert.Equal("good", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));

        await Eventually.TrueAsync(() => proxy.Metrics().Contains("ejection=\"ConsecutiveLocalErrors\"} 0", StringComparison.Ordinal), state: proxy.Metrics);
    }

    [Fact]
    public async Task Nobody_to_ask_is_503_no_route_is_404_and_a_slow_endpoint_504()
    {
        var (slow, server) = await ProxyFixture.ServeAsync("slow", async context => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "slow" }], Timeout = TimeSpan.FromMilliseconds(200), Retry = RetryPolicy.None }), slow);
        using (var response = await proxy.GetAsync())
            Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);

        await proxy.ApplyAsync([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "empty" }] })], new ClusterConfig { Name = "empty" });
        using (var response = await proxy.GetAsync())
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);

        await proxy.ApplyAsync([]);
        using (var response = await proxy.GetAsync())
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);

        await Eventually.TrueAsync(() => proxy.Records().Split('\n').Length > 3);
        Assert.Contains("\"response_flags\":\"UT\"", proxy.Records(), StringComparison.Ordinal);
        Assert.Contains("\"response_flags\":\"UH\"", proxy.Records(), StringComparison.Ordinal);
        Assert.Contains("\"response_flags\":\"NR\"", proxy.Records(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_web_socket_passes_and_another_protocol_does_not()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[64 << 10];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{proxy.Address}/chat"), TestContext.Current.CancellationToken);
        for (var size = 1; size < 100_000; size *= 7)
        {
            var message = RandomNumberGenerator.GetBytes(size);
            await client.SendAsync(message, WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
            var received = new byte[size];
            var at = 0;
            while (at < size)
                at += (await client.ReceiveAsync(received.AsMemory(at), TestContext.Current.CancellationToken)).Count;
            Assert.Equal(message, received);
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "", TestContext.Current.CancellationToken);

        using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url());
        request.Headers.Connection.Add("upgrade");
        request.Headers.Upgrade.ParseAdd("tunnel");
        using var refused = await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task Filters_of_a_route_act_and_a_change_of_configuration_keeps_connections()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync(context.Request.Headers["x-added"].ToString()));
        await using var own = server;
        var action = new ForwardAction { Clusters = [new() { Cluster = "web" }] };
        var headers = new HeaderFilter { Request = new HeaderEdits { Set = [new("x-added", "yes")] }, Response = new HeaderEdits { Set = [new("x-seen", "1")] } };
        await using var proxy = await ProxyFixture.StartAsync(ProxyFixture.Everything(action) with { Filters = [headers] }, cluster);
        using (var response = await proxy.GetAsync())
        {
            Assert.Equal("yes", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            Assert.Equal("1", response.Headers.GetValues("x-seen").Single());
        }

        await proxy.ApplyAsync([ProxyFixture.Everything(action) with { Filters = [new FaultFilter { AbortFraction = 1, AbortStatus = 418 }] }], cluster);
        using (var response = await proxy.GetAsync())
            Assert.Equal(418, (int)response.StatusCode);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_connections 1\n", StringComparison.Ordinal), state: proxy.Metrics);
    }

    [Fact]
    public async Task Mirrors_get_a_copy_and_the_client_does_not_notice()
    {
        var copies = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var (web, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync("real"));
        var (shadow, second) = await ProxyFixture.ServeAsync("shadow", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            copies.Enqueue($"{context.Request.Host.Host} {await reader.ReadToEndAsync()}");
            context.Response.StatusCode = 500;
        });
        await using var own = server;
        await using var ownSecond = second;
        await using var proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }], Mirrors = [new Mirror { Cluster = "shadow" }] }), web, shadow);

        using var request = new HttpRequestMessage(HttpMethod.Post, proxy.Url()) { Content = new StringContent("copied") };
        request.Headers.Host = "shop.example";
        using var response = await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("real", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await Eventually.TrueAsync(() => copies.Contains("shop.example-shadow copied"), state: () => string.Join('|', copies));
    }

    [Fact]
    public async Task A_taken_port_refuses_the_configuration_and_the_old_one_goes_on()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync("ok"));
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        var bad = proxy.Engine.Config with { Listeners = [new ListenerConfig { Name = "other", Address = "127.0.0.1", Port = new Uri(server.Urls.Single()).Port, RouteTable = "all" }] };

        var refused = await Assert.ThrowsAsync<Proxy.Runtime.ProxyConfigException>(() => proxy.Engine.ApplyAsync(bad));

        Assert.Contains("listener other: 127.0.0.1:", refused.Message, StringComparison.Ordinal);
        Assert.Equal("ok", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_forwarded_request_allocates_nothing()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync("ok"));
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        for (var i = 0; i < 300; i++)
            await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken);
        var before = proxy.Engine.AllocatedBytes;

        for (var i = 0; i < 200; i++)
            await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken);
        await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken);

        Assert.Equal(0, proxy.Engine.AllocatedBytes - before);
    }
}
