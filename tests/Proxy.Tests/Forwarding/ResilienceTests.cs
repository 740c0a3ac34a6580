using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Balancing.Health;
using Weft.Proxy.Config.Model;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>Faults and changes while clients go on; each on real sockets.</summary>
public sealed class ResilienceTests
{
    [Fact]
    public async Task A_hundred_changes_of_the_configuration_under_load_fail_nothing()
    {
        var (one, first) = await ProxyFixture.ServeAsync("one", EchoAsync);
        await using var own = first;
        await using var proxy = await ProxyFixture.StartAsync(one);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{proxy.Address}/chat"), TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var answered = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => LoadAsync(proxy, i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20, () => Interlocked.Increment(ref answered), stop.Token)).Append(ChangeAsync()));

        await socket.SendAsync("still there"u8.ToArray(), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        var answer = new byte[100];
        Assert.Equal(11, (await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken)).Count);

        async Task ChangeAsync()
        {
            for (var i = 0; i < 100; i++)
            {
                await proxy.ApplyAsync(
                    [
                        new RouteConfig { Name = $"extra-{i}", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Prefix, $"/extra/{i}") }], Action = DirectResponse.NotFound },
                        ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "one" }], Timeout = TimeSpan.FromSeconds(10 + i) }),
                    ],
                    one with { ConnectTimeout = TimeSpan.FromSeconds(5 + (i % 3)) });
                // Requests go on between two changes, however busy the machine is.
                var enough = Volatile.Read(ref answered) + 10;
                await Eventually.TrueAsync(() => Volatile.Read(ref answered) >= enough);
            }

            await stop.CancelAsync();
        }
    }

    [Fact]
    public async Task One_of_three_endpoints_that_hangs_costs_an_idempotent_request_nothing_and_is_taken_out()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen(1000);
        var (good, server) = await ProxyFixture.ServeAsync("web", EchoAsync);
        await using var own = server;
        await using var other = await ProxyFixture.ServerAsync(EchoAsync);
        var cluster = ProxyFixture.Cluster("web", server, other) with { Outliers = OutlierSettings.Default with { MaxEjectionPercent = 50 } };
        cluster = cluster with { Endpoints = [.. cluster.Endpoints, new EndpointConfig { Address = "127.0.0.1", Port = ((IPEndPoint)silent.LocalEndPoint!).Port }] };
        var retry = new RetryPolicy { On = RetryOn.Reset | RetryOn.ConnectFailure, Attempts = 2, PerTryTimeout = TimeSpan.FromMilliseconds(300) };
        await using var proxy = await ProxyFixture.StartAsync(ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }], Retry = retry }), cluster);

        for (var i = 0; i < 40; i++)
        {
            using var response = await proxy.GetAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await Eventually.TrueAsync(() => proxy.Metrics().Contains("ejection=\"ConsecutiveLocalErrors\"} 0", StringComparison.Ordinal), state: proxy.Metrics);
    }

    /// <summary>An answer without a body ends its stream at once: the stream is not reset for the sake of another try, and others of its connection live.</summary>
    [Theory]
    [InlineData(HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData(HttpProtocols.Http2, UpstreamProtocol.Http2)]
    public async Task Answers_without_a_body_are_tried_again_on_shared_connections(HttpProtocols protocols, UpstreamProtocol protocol)
    {
        var seen = new ConcurrentDictionary<string, bool>();
        await using var server = await ProxyFixture.ServerAsync(
            context =>
            {
                context.Response.StatusCode = seen.TryAdd(context.Request.Path, true) ? 503 : 204;
                return Task.CompletedTask;
            }, protocols);
        var retry = new RetryPolicy { On = RetryOn.ServerError, Attempts = 1, BaseBackoff = TimeSpan.FromMilliseconds(1) };
        await using var proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }], Retry = retry }), ProxyFixture.Cluster("web", server) with { Protocol = protocol, RetryBudget = new RetryBudget(1, 100) });

        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
        {
            using var response = await proxy.GetAsync($"/{number}");
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        });
    }

    [Fact]
    public async Task Clients_that_go_away_leave_nothing_behind()
    {
        var arrived = new ConcurrentQueue<int>();
        var ended = 0;
        var (cluster, server) = await ProxyFixture.ServeAsync("slow", async context =>
        {
            arrived.Enqueue(1);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }
            finally
            {
                Interlocked.Increment(ref ended);
            }
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        using var stop = new CancellationTokenSource();
        var requests = Enumerable.Range(0, 20).Select(i => GetAsync(i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20)).ToList();
        await Eventually.TrueAsync(() => arrived.Count == 20);

        await stop.CancelAsync();
        await Task.WhenAll(requests);

        await Eventually.TrueAsync(() => Volatile.Read(ref ended) == 20);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_requests_in_flight 0\n", StringComparison.Ordinal), state: proxy.Metrics);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains($"endpoint_requests_in_flight{{cluster=\"slow\",endpoint=\"127.0.0.1:{cluster.Endpoints[0].Port}\"}} 0\n", StringComparison.Ordinal), state: proxy.Metrics);
        Assert.Contains("response_code=\"0\"", proxy.Metrics(), StringComparison.Ordinal);

        async Task GetAsync(Version version)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url()) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proxy.Client.SendAsync(request, stop.Token));
        }
    }

    /// <summary>A server may ignore the wish for another protocol: what it answers is an answer, the connection goes on, and nothing stays counted.</summary>
    [Theory]
    [InlineData(204, "")]
    [InlineData(200, "plain")]
    public async Task An_upgrade_that_is_answered_with_something_else_is_no_tunnel(int status, string body)
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context =>
        {
            context.Response.StatusCode = status;
            return body.Length == 0 ? Task.CompletedTask : context.Response.WriteAsync(body);
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster with { Limits = new PoolLimits { MaxRequests = 5 } });
        for (var i = 0; i < 30; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url());
            request.Headers.Connection.Add("upgrade");
            request.Headers.Upgrade.ParseAdd("websocket");
            using var response = await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(body, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_requests_in_flight 0\n", StringComparison.Ordinal), state: proxy.Metrics);
        Assert.Contains($"endpoint_requests_in_flight{{cluster=\"web\",endpoint=\"127.0.0.1:{cluster.Endpoints[0].Port}\"}} 0\n", proxy.Metrics(), StringComparison.Ordinal);
        Assert.Contains("weft_proxy_connections 1\n", proxy.Metrics(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/grpc", HttpProtocols.Http2)]
    [InlineData("text/plain", HttpProtocols.Http1)]
    public async Task A_client_cannot_switch_the_time_out_of_a_route_off(string type, HttpProtocols protocols)
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("slow", async context => await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted), protocols);
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(
            ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "slow" }], Timeout = TimeSpan.FromMilliseconds(300), Retry = RetryPolicy.None }), cluster);
        using var request = new HttpRequestMessage(HttpMethod.Post, proxy.Url()) { Content = new StringContent("") };
        request.Content.Headers.ContentType = new(type);
        request.Headers.TryAddWithoutValidation("grpc-timeout", "0S");
        using var response = await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);
        // A gRPC client reads 200 and a status.
        Assert.Equal(type == "application/grpc" ? HttpStatusCode.OK : HttpStatusCode.GatewayTimeout, response.StatusCode);
        if (type == "application/grpc")
            Assert.Equal("4", response.Headers.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task A_drain_lets_what_is_under_way_end()
    {
        var go = new TaskCompletionSource();
        var arrived = 0;
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async context =>
        {
            Interlocked.Increment(ref arrived);
            await go.Task;
            await context.Response.WriteAsync("done");
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        var requests = new[] { HttpVersion.Version11, HttpVersion.Version20 }.Select(async version =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url()) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await proxy.Client.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref arrived) == 2);

        var draining = proxy.Engine.DrainAsync(TimeSpan.FromSeconds(3));
        go.SetResult();

        Assert.Equal(["done", "done"], await Task.WhenAll(requests));
        await Eventually.TrueAsync(() => draining.IsCompleted);
    }

    private static async Task LoadAsync(ProxyFixture proxy, Version version, Action answered, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, proxy.Url()) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent("hello") };
            using var response = await proxy.Client.SendAsync(request, CancellationToken.None);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("hello", await response.Content.ReadAsStringAsync(CancellationToken.None));
            answered();
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await context.Request.Body.CopyToAsync(context.Response.Body);
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[64 << 10];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
    }
}
