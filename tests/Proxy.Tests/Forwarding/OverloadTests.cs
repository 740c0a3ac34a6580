using System.Net;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>More comes than is borne: what is too much is answered at once, and says why.</summary>
public sealed class OverloadTests
{
    [Fact]
    public async Task Requests_above_the_bound_are_answered_503_with_retry_after_and_those_below_end_well()
    {
        var go = new TaskCompletionSource();
        var arrived = 0;
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async _ =>
        {
            Interlocked.Increment(ref arrived);
            await go.Task;
        });
        await using var own = server;
        var config = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }] })], cluster) with
        {
            Overload = new OverloadConfig { MaxRequests = 5, RetryAfter = TimeSpan.FromSeconds(7) },
        };
        await using var proxy = await ProxyFixture.StartAsync(config);
        var first = Enumerable.Range(0, 5).Select(_ => proxy.GetAsync()).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref arrived) == 5);

        for (var i = 0; i < 10; i++)
        {
            using var refused = await proxy.GetAsync();
            Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(7)), (refused.StatusCode, refused.Headers.RetryAfter?.Delta));
        }

        go.SetResult();
        foreach (var response in await Task.WhenAll(first))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_requests_in_flight 0\n", StringComparison.Ordinal));
        using var after = await proxy.GetAsync();
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        await Eventually.TrueAsync(() => proxy.Records().Split("\"response_flags\":\"OM\",\"response_code_details\":\"overload_requests\"").Length == 11, state: proxy.Records);
    }

    /// <summary>A cluster of which nothing is known yet is given the least: what comes beside that is refused by its name, and with good answers the limit grows.</summary>
    [Fact]
    public async Task Adaptive_concurrency_refuses_what_is_too_much_and_grows_with_good_answers()
    {
        var held = 0;
        var go = new TaskCompletionSource();
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async context =>
        {
            if (context.Request.Path != "/held")
                return;
            Interlocked.Increment(ref held);
            await go.Task;
        });
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster with { AdaptiveConcurrency = new AdaptiveConcurrency(Least: 2, Most: 50) { Window = TimeSpan.FromMilliseconds(250), MeasureRequests = 10 } });
        var waiting = Enumerable.Range(0, 2).Select(_ => proxy.GetAsync("/held")).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref held) == 2);
        using (var refused = await proxy.GetAsync())
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await Eventually.TrueAsync(() => proxy.Records().Contains("\"response_flags\":\"UO\",\"response_code_details\":\"reached_concurrency_limit\"", StringComparison.Ordinal), state: proxy.Records);
        go.SetResult();
        foreach (var response in await Task.WhenAll(waiting))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);

        Assert.Contains("weft_proxy_cluster_concurrency_limit{cluster=\"web\"} 2\n", proxy.Metrics(), StringComparison.Ordinal);
        for (var i = 0; proxy.Metrics().Contains("weft_proxy_cluster_concurrency_limit{cluster=\"web\"} 2\n", StringComparison.Ordinal); i++)
        {
            using var response = await proxy.GetAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.True(i < 20_000, proxy.Metrics());
        }
    }

    /// <summary>What is measured is when the head comes; the rest may take for ever.</summary>
    [Fact]
    public async Task Streams_that_go_on_hold_no_place_of_adaptive_concurrency()
    {
        var go = new TaskCompletionSource();
        var (cluster, server) = await ProxyFixture.ServeAsync("web", async context =>
        {
            await context.Response.WriteAsync("first,");
            await context.Response.Body.FlushAsync();
            await go.Task;
            await context.Response.WriteAsync("last");
        });
        await using var own = server;
        // A measurement of minutes: it is not its end that lets the others in.
        await using var proxy = await ProxyFixture.StartAsync(cluster with { AdaptiveConcurrency = new AdaptiveConcurrency(Least: 2, Most: 50) { Window = TimeSpan.FromSeconds(10) } });
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < 5; i++)
        {
            streams.Add(await proxy.Client.GetAsync(proxy.Url(), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
            Assert.Equal(HttpStatusCode.OK, streams[i].StatusCode);
        }

        go.SetResult();
        foreach (var stream in streams)
        {
            Assert.Equal("first,last", await stream.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            stream.Dispose();
        }
    }
}
