using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Telemetry;

/// <summary>Spans of a whole engine, as a collector receives them.</summary>
public sealed class TracingTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Caller = "00f067aa0ba902b7";

    [Fact]
    public async Task A_request_is_a_span_and_each_try_another_and_the_endpoint_is_told_of_its_own()
    {
        var seen = new ConcurrentQueue<string>();
        await using var endpoint = await ProxyFixture.ServerAsync(context =>
        {
            seen.Enqueue(context.Request.Headers["traceparent"].ToString());
            return Task.CompletedTask;
        });
        await using var collector = await TraceCollector.StartAsync();
        var cluster = ProxyFixture.Cluster("web", endpoint);
        // The one that is not there has all of the weight, so it is tried first.
        cluster = cluster with { LoadBalancer = new LeastRequestBalancer(), Endpoints = [cluster.Endpoints[0], new EndpointConfig { Address = "127.0.0.1", Port = Unused(), Weight = 100 }] };
        var route = ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }], Retry = new RetryPolicy { On = RetryOn.ConnectFailure, Attempts = 1 } });
        var config = Config(collector, route, cluster);
        await using var proxy = await ProxyFixture.StartAsync(config with { Tracing = config.Tracing! with { Headers = [new("X-Key", new DataSource { Inline = "s3cret" })], ServiceName = "edge" } });

        using var response = await SendAsync(proxy, "/cart/7?token=abc", $"00-{Trace}-{Caller}-01");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Eventually.TrueAsync(() => collector.Spans.Count == 3);

        Assert.Equal(("s3cret", "/v1/traces"), (collector.Key, collector.Path));
        var server = collector.Spans.Single(span => span.Kind == 2);
        Assert.Equal(("edge", Trace, Caller, "GET all", false), (server.Service, server.Trace, server.Parent, server.Name, server.Failed));
        Assert.Equal("/cart/7", server.Attributes["url.path"]);
        Assert.Equal(("GET", "http", "200", "127.0.0.1", "1.1"), (
            server.Attributes["http.request.method"], server.Attributes["url.scheme"], server.Attributes["http.response.status_code"], server.Attributes["client.address"],
            server.Attributes["network.protocol.version"]));
        Assert.Equal(("127.0.0.1", proxy.Address.Port.ToString()), (server.Attributes["server.address"], server.Attributes["server.port"]));
        Assert.Equal("web", server.Attributes["upstream_cluster"]);
        Assert.All(collector.Spans, span => Assert.DoesNotContain(span.Attributes.Values, value => value.Contains("abc", StringComparison.Ordinal)));

        var tries = collector.Spans.Where(span => span.Kind == 3).OrderBy(span => span.Start).ToList();
        Assert.All(tries, one => Assert.Equal((Trace, server.Span), (one.Trace, one.Parent)));
        Assert.All(tries, one => Assert.True(one.Start >= server.Start && one.End <= server.End && one.End >= one.Start));
        Assert.Equal((true, "connect_failed"), (tries[0].Failed, tries[0].Attributes["error.type"]));
        Assert.False(tries[0].Attributes.ContainsKey("http.request.resend_count"));
        Assert.Equal((false, "200", "1"), (tries[1].Failed, tries[1].Attributes["http.response.status_code"], tries[1].Attributes["http.request.resend_count"]));
        Assert.Equal(cluster.Endpoints[0].Port.ToString(), tries[1].Attributes["server.port"]);
        Assert.Equal($"00-{Trace}-{tries[1].Span}-01", Assert.Single(seen));
    }

    [Theory]
    [InlineData($"00-{Trace}-{Caller}-00", 1.0, true, 0)]
    [InlineData($"00-{Trace}-{Caller}-01", 0.0, true, 1)]
    [InlineData($"00-{Trace}-{Caller}-01", 0.0, false, 0)]
    [InlineData($"00-{Trace}-{Caller}-00", 1.0, false, 1)]
    [InlineData(null, 1.0, true, 1)]
    [InlineData(null, 0.0, true, 0)]
    public async Task The_callers_decision_goes_before_the_share_where_it_is_followed(string? traceparent, double fraction, bool follow, int spans)
    {
        await using var collector = await TraceCollector.StartAsync();
        var config = Config(collector, ProxyFixture.Everything(DirectResponse.NotFound));
        await using var proxy = await ProxyFixture.StartAsync(config with { Tracing = config.Tracing! with { Fraction = fraction, FollowCaller = follow } });

        // An answer of the proxy itself is a span without a try.
        using (await SendAsync(proxy, "/", traceparent))
        using (await SendAsync(proxy, "/last", $"00-{Trace}-{Caller}-01"))
        {
        }

        await Eventually.TrueAsync(() => proxy.Records().Contains("/last", StringComparison.Ordinal));
        await proxy.Engine.DisposeAsync();
        var first = collector.Spans.Where(span => span.Attributes["url.path"] == "/").ToList();
        Assert.Equal(spans, first.Count);
        Assert.All(first, span => Assert.Equal((2UL, "404", false), (span.Kind, span.Attributes["http.response.status_code"], span.Failed)));
    }

    [Fact]
    public async Task What_is_sampled_and_not_to_be_logged_is_not_logged()
    {
        await using var collector = await TraceCollector.StartAsync();
        var config = Config(collector, ProxyFixture.Everything(new DirectResponse { Status = 200 }));
        await using var proxy = await ProxyFixture.StartAsync(config with { AccessLog = new AccessLogConfig { Fraction = 0 } });

        using (await SendAsync(proxy, "/", null))
            await Eventually.TrueAsync(() => collector.Spans.Count == 1);

        Assert.Equal("", proxy.Records());
    }

    [Theory]
    [InlineData("away")]
    [InlineData("refusing")]
    [InlineData("silent")]
    public async Task A_collector_that_takes_nothing_costs_spans_and_no_request(string how)
    {
        await using var collector = await TraceCollector.StartAsync();
        collector.Spoil = async context =>
        {
            context.Response.StatusCode = 503;
            if (how == "silent")
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        };
        var config = Config(collector, ProxyFixture.Everything(new DirectResponse { Status = 200 }));
        if (how == "away")
            config = config with { Tracing = config.Tracing! with { Endpoint = $"http://127.0.0.1:{Unused()}" } };
        await using var proxy = await ProxyFixture.StartAsync(config);

        for (var i = 0; i < 20; i++)
        {
            using var response = await SendAsync(proxy, "/", null);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        if (how == "silent")
            await Eventually.TrueAsync(() => collector.Path is not null);
        else
            await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_spans_dropped_total 20\n", StringComparison.Ordinal), state: proxy.Metrics);
        await Eventually.EndsAsync(proxy.Engine.DisposeAsync().AsTask());
        Assert.Contains("weft_proxy_spans_dropped_total 20\n", proxy.Metrics(), StringComparison.Ordinal);
        Assert.Contains("weft_proxy_spans_sent_total 0\n", proxy.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_configuration_changes_the_collector_and_keeps_the_count()
    {
        await using var one = await TraceCollector.StartAsync();
        await using var two = await TraceCollector.StartAsync();
        await using var proxy = await ProxyFixture.StartAsync(Config(one, ProxyFixture.Everything(new DirectResponse { Status = 200 })));
        using (await SendAsync(proxy, "/one", null))
            await Eventually.TrueAsync(() => one.Spans.Count == 1);

        await proxy.Engine.ApplyAsync(Config(two, ProxyFixture.Everything(new DirectResponse { Status = 200 })));
        using (await SendAsync(proxy, "/two", null))
            await Eventually.TrueAsync(() => two.Spans.Count == 1);
        await Eventually.TrueAsync(() => proxy.Metrics().Contains("weft_proxy_spans_sent_total 2\n", StringComparison.Ordinal), state: proxy.Metrics);
        Assert.Single(one.Spans);
    }

    [Fact]
    public async Task What_cannot_be_sent_is_refused_and_no_secret_is_shown()
    {
        await using var collector = await TraceCollector.StartAsync();
        var good = Config(collector, ProxyFixture.Everything(new DirectResponse { Status = 200 }));
        await using var proxy = await ProxyFixture.StartAsync(good);
        var tracing = new TracingConfig { Endpoint = "http://user:s3cret@collector/", Fraction = 2, ServiceName = "", Headers = [new("content-length", new DataSource { Inline = "s3cret" }), new("x", new DataSource())] };

        var refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(good with { Tracing = tracing }));
        Assert.Equal(["tracing.endpoint:", "tracing.fraction:", "tracing.serviceName:", "tracing.headers[0].name:", "tracing.headers[1].value:"], refusal.Errors.Select(error => error.Split(' ')[0]));
        Assert.DoesNotContain("s3cret", refusal.Message);
        foreach (var value in new[] { new DataSource { Inline = "s3cret\r\nx: y" }, new DataSource { File = "/nowhere/key" } })
        {
            refusal = await Assert.ThrowsAsync<ProxyConfigException>(() => proxy.Engine.ApplyAsync(good with { Tracing = good.Tracing! with { Headers = [new("x-key", value)] } }));
            Assert.StartsWith("tracing.headers: x-key:", refusal.Errors[0], StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", refusal.Message);
        }
    }

    private static ProxyConfig Config(TraceCollector collector, RouteConfig route, params ClusterConfig[] clusters) =>
        ProxyFixture.Config([route], clusters) with { Tracing = new TracingConfig { Endpoint = collector.Url, Fraction = 1 } };

    private static async Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string path, string? traceparent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url(path));
        // What the test's own client adds would be a decision of a caller.
        request.Headers.TryAddWithoutValidation("traceparent", traceparent ?? "none");
        return await proxy.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static int Unused()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
