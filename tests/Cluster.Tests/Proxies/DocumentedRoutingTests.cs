using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>docs/proxy.md, the configurations about where requests go: each does what the text beside it says.</summary>
public sealed class DocumentedRoutingTests : IDisposable
{
    private readonly TempDir _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Four_lines_are_a_reverse_proxy_for_both_protocols_and_websocket()
    {
        await using var web = await Endpoint.StartAsync("web");
        web.Handle = EchoSocketAsync;
        await using var proxy = await ProxyExample.StartAsync(0, _directory, new Dictionary<string, string> { ["127.0.0.1:9000"] = web.Address });

        var one = await Curl.AskAsync("--http1.1", proxy.Url(8080, "/a?b=c"));
        Assert.Equal((200, "HTTP/1.1"), (one.Status, one.Version));
        Assert.StartsWith("web GET /a?b=c\n", one.Body, StringComparison.Ordinal);
        var two = await Curl.AskAsync("--http2-prior-knowledge", proxy.Url(8080, "/"));
        Assert.Equal((200, "HTTP/2"), (two.Status, two.Version));
        Assert.Equal("hello", await SayAsync(proxy.Port(8080), "hello"));
    }

    [Fact]
    public async Task Example_1_chooses_by_host_and_by_whole_segments()
    {
        await using var api = await Endpoint.StartAsync("api");
        await using var shop = await Endpoint.StartAsync("shop");
        await using var proxy = await ProxyExample.StartAsync(1, _directory, new Dictionary<string, string> { ["10.0.0.10:8080"] = api.Address, ["10.0.0.20:8080"] = shop.Address });
        foreach (var (host, path, answer) in new[]
        {
            ("shop.example", "/api/x", "api GET /x\n"), ("shop.example", "/api", "api GET /\n"), ("shop.example", "/apix", "shop GET /apix\n"), ("eu.shop.example", "/", "shop GET /\n"),
            ("shop.example", "/healthz", "ok\n"), ("shop.example", "/healthz/x", "shop GET /healthz/x\n"),
        })
        {
            var seen = await Curl.AskAsync("-H", $"Host: {host}", proxy.Url(8080, path));
            Assert.Equal(200, seen.Status);
            Assert.StartsWith(answer, seen.Body, StringComparison.Ordinal);
        }

        Assert.Equal(404, (await Curl.AskAsync("-H", "Host: other.example", proxy.Url(8080, "/api"))).Status);
    }

    [Fact]
    public async Task Example_2_spreads_retries_ejects_and_checks()
    {
        await using var one = await Endpoint.StartAsync("one");
        await using var two = await Endpoint.StartAsync("two");
        await using var three = await Endpoint.StartAsync("three");
        await using var proxy = await ProxyExample.StartAsync(2, _directory, new Dictionary<string, string>
        {
            ["10.0.0.11:8080"] = one.Address, ["10.0.0.12:8080"] = two.Address, ["10.0.0.13, port: 8080"] = $"127.0.0.1, port: {three.Port}", ["interval: 5s"] = "interval: 100ms", ["timeout: 10s"] = "timeout: 1s",
        });

        // Eight at once: as many to each as its weight says.
        var (arrived, all) = (0, new TaskCompletionSource());
        one.Handle = two.Handle = three.Handle = async _ =>
        {
            if (Interlocked.Increment(ref arrived) == 8)
                all.SetResult();
            await all.Task;
            return false;
        };
        (await Shell.RunAsync("curl", ["-sS", "--fail", "-Z", "--parallel-immediate", "--parallel-max", "8", "-o", "/dev/null", proxy.Url(8080, "/[1-8]")])).Succeeded();
        Assert.InRange(three.Requests, 3, 5);
        Assert.All([one, two], endpoint => Assert.InRange(endpoint.Requests, 1, 3));
        one.Handle = two.Handle = three.Handle = _ => Task.FromResult(false);

        // One after the other: the one with the most weight is the best while nobody has anything to do. A check that fails twice takes it out, and one that succeeds brings it back.
        Assert.Equal(20, await NewAsync(three));
        three.Ready = 500;
        await Eventually.TrueAsync(async () => await NewAsync(three) == 0);
        three.Ready = 200;
        await Eventually.TrueAsync(async () => await NewAsync(three) > 0);

        // Its gateway errors are mended by another try, and after three of them it is left out.
        three.Handle = context => StatusAsync(context, 503);
        await Eventually.TrueAsync(async () => await NewAsync(three) == 0);

        one.Handle = two.Handle = async context =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        Assert.Equal(504, (await Curl.AskAsync(proxy.Url(8080, "/slow"))).Status);

        async Task<int> NewAsync(Endpoint of)
        {
            var before = of.Requests;
            Assert.All(await Curl.AskManyAsync(proxy.Url(8080, "/[1-20]")), answer => Assert.Equal(200, answer.Status));
            return of.Requests - before;
        }
    }

    [Fact]
    public async Task Example_4_splits_by_weight_header_and_cookie_and_mirrors()
    {
        await using var v1 = await Endpoint.StartAsync("v1");
        await using var v2 = await Endpoint.StartAsync("v2");
        await using var v3 = await Endpoint.StartAsync("v3");
        await using var proxy = await ProxyExample.StartAsync(4, _directory, new Dictionary<string, string> { ["10.0.1.1:8080"] = v1.Address, ["10.0.2.1:8080"] = v2.Address, ["10.0.3.1:8080"] = v3.Address });

        var answers = await Curl.AskManyAsync(proxy.Url(8080, "/[1-300]"));
        var canary = answers.Count(answer => answer.Field("x-endpoint") == "v2");
        // Binomial, 300 of 0.1: further away than this once in 10^9.
        Assert.InRange(canary, 3, 75);
        Assert.All(answers, answer => Assert.Equal(answer.Field("x-endpoint") == "v2" ? "v2" : null, answer.Field("x-version")));
        Assert.Equal(300, v1.Requests + v2.Requests);
        await Eventually.TrueAsync(() => v3.Requests > 0);
        Assert.InRange(v3.Requests, 1, 60);

        Assert.All(await Curl.AskManyAsync("-H", "x-canary: always", proxy.Url(8080, "/[1-20]")), answer => Assert.Equal("v2", answer.Field("x-endpoint")));
        foreach (var first in answers.DistinctBy(answer => answer.Field("x-endpoint")))
        {
            var cookie = first.Field("set-cookie")!;
            Assert.StartsWith("version=", cookie, StringComparison.Ordinal);
            Assert.Contains("Max-Age=3600", cookie, StringComparison.OrdinalIgnoreCase);
            var again = await Curl.AskManyAsync("-b", cookie[..cookie.IndexOf(';', StringComparison.Ordinal)], proxy.Url(8080, "/[1-40]"));
            Assert.All(again, answer => Assert.Equal(first.Field("x-endpoint"), answer.Field("x-endpoint")));
        }
    }

    [Fact]
    public async Task Example_8_gives_a_key_to_the_same_cache()
    {
        await using var one = await Endpoint.StartAsync("one");
        await using var two = await Endpoint.StartAsync("two");
        await using var three = await Endpoint.StartAsync("three");
        await using var proxy = await ProxyExample.StartAsync(8, _directory, new Dictionary<string, string> { ["10.0.0.1:6081"] = one.Address, ["10.0.0.2:6081"] = two.Address, ["10.0.0.3:6081"] = three.Address });

        var first = (await Curl.AskManyAsync(proxy.Url(8080, "/x?id=[1-40]"))).Select(answer => answer.Field("x-endpoint")).ToList();
        var second = (await Curl.AskManyAsync(proxy.Url(8080, "/y?a=b&id=[1-40]"))).Select(answer => answer.Field("x-endpoint")).ToList();

        Assert.Equal(first, second);
        Assert.Equal(3, first.Distinct().Count());
        // Without the key it is the client's address.
        Assert.Single((await Curl.AskManyAsync(proxy.Url(8080, "/[1-20]"))).Select(answer => answer.Field("x-endpoint")).Distinct());
    }

    private static async Task<bool> StatusAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        await context.Response.CompleteAsync();
        return true;
    }

    private static async Task<bool> EchoSocketAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            return false;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        var got = await socket.ReceiveAsync(buffer, context.RequestAborted);
        await socket.SendAsync(buffer.AsMemory(0, got.Count), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        return true;
    }

    private static async Task<string> SayAsync(int port, string text)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        var buffer = new byte[100];
        var got = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, got.Count);
    }
}
