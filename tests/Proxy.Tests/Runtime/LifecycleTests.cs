using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Runtime;

/// <summary>Changes and the end of an engine, while clients of all kinds use it.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task A_hundred_changes_fail_no_request_cut_no_stream_and_leave_connections_to_endpoints_alone()
    {
        await using var load = await MixedLoad.StartServersAsync();
        await using var proxy = await ProxyFixture.StartAsync(Config(load, change: 0));
        load.Begin(proxy.Address);
        await load.ProgressAsync(3);
        var connections = load.UpstreamConnections;
        // A socket is a connection of its own, and so may be a request that finds all others taken.
        var sockets = load.Done["websocket"];

        for (var change = 1; change <= 100; change++)
        {
            await proxy.Engine.ApplyAsync(Config(load, change));
            if (change % 10 == 0)
                await load.ProgressAsync(1);
        }

        await load.StopAsync();
        Assert.True(load.Failures.Count == 0, load.ToString());
        Assert.InRange(load.UpstreamConnections - connections, 0, load.Done["websocket"] - sockets + 15);
        Assert.Equal(0, load.Told);
        TestContext.Current.SendDiagnosticMessage(load.ToString());
    }

    [Fact]
    public async Task Connections_to_an_endpoint_that_stays_outlive_a_change_of_everything_else()
    {
        var connections = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context =>
        {
            connections.TryAdd(context.Connection.Id, true);
            return Task.CompletedTask;
        });
        await using var own = server;
        var (other, otherServer) = await ProxyFixture.ServeAsync("other", _ => Task.CompletedTask);
        await using var ownOther = otherServer;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        // Each loop has connections of its own, and clients come to one of them by chance: one client, one connection.
        using (await proxy.GetAsync())
        {
        }

        Assert.Single(connections);
        for (var change = 0; change < 20; change++)
        {
            await proxy.ApplyAsync(
                [
                    new RouteConfig { Name = $"before-{change}", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Exact, $"/{change}") }], Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = "other" }] } },
                    ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }] }),
                ],
                cluster, other);
            using var response = await proxy.GetAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Single(connections);
    }

    [Fact]
    public async Task An_end_under_load_fails_no_request_and_cuts_no_stream()
    {
        await using var load = await MixedLoad.StartServersAsync();
        await using var proxy = await ProxyFixture.StartAsync(Config(load, change: 0));
        load.Begin(proxy.Address);
        await load.ProgressAsync(3);

        load.ExpectEnd();
        await Eventually.EndsAsync(proxy.Engine.DrainAsync(TimeSpan.FromSeconds(20)));

        await load.StopAsync();
        Assert.True(load.Failures.Count == 0, load.ToString());
        Assert.Contains("weft_proxy_requests_in_flight 0\n", proxy.Metrics(), StringComparison.Ordinal);
    }

    private static ProxyConfig Config(MixedLoad load, int change)
    {
        var config = ProxyFixture.Config(
            [
                // What changes, and what nobody asks for.
                new RouteConfig { Name = "change", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Exact, $"/{change}") }], Action = new DirectResponse { Status = 200 } },
                new RouteConfig { Name = "grpc", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Exact, "/grpc") }], Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = "two" }], Retry = RetryPolicy.None } },
                ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "one" }], Retry = RetryPolicy.None, Upgrades = ["websocket"] }),
            ],
            Cluster("one", load.Http1Port),
            Cluster("two", load.Http2Port) with { Protocol = UpstreamProtocol.Http2 },
            Cluster($"unused-{change}", load.Http1Port));
        // One of them keeps the listener and all who use it.
        return change % 2 == 0 ? config : config with { Listeners = [.. config.Listeners, new ListenerConfig { Name = "second", Address = "127.0.0.2", Port = 0, RouteTable = "all" }] };
    }

    private static ClusterConfig Cluster(string name, int port) => new() { Name = name, Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = port }] };
}
