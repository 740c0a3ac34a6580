using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Runtime;

/// <summary>Endpoints that are given by names, as a service entry has them, each with a port of its own.</summary>
public sealed class NamedEndpointsTests
{
    [Fact]
    public async Task Each_name_is_asked_for_and_has_its_own_port_beside_an_address()
    {
        await using var one = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("one"));
        await using var two = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("two"));
        await using var three = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("three"));
        EndpointConfig At(string address, Microsoft.AspNetCore.Builder.WebApplication server) => new() { Address = address, Port = new Uri(server.Urls.Single()).Port };
        await using var proxy = await ProxyFixture.StartAsync(
            new ClusterConfig { Name = "shop", LoadBalancer = new RoundRobinBalancer(), Endpoints = [At("localhost", one), At("LOCALHOST", two), At("127.0.0.1", three)] });

        var seen = new HashSet<string>();
        await Eventually.TrueAsync(async () =>
        {
            seen.Add(await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));
            return seen.Count == 3;
        });

        // A name that is taken out is followed no more, and the others stay.
        await proxy.ApplyAsync(
            [ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "shop" }] })],
            new ClusterConfig { Name = "shop", LoadBalancer = new RoundRobinBalancer(), Endpoints = [At("LOCALHOST", two)] });
        for (var i = 0; i < 4; i++)
            Assert.Equal("two", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void What_is_neither_a_name_nor_an_address_is_refused()
    {
        var unit = new BackendsUnit { Host = "shop", Ports = [new BackendPort(80, [new EndpointConfig { Address = "10.0.0.300", Port = 80 }])] };
        var error = Assert.Throws<UnitException>(() => UnitJudge.Check(new UnitKey(UnitKind.Backends, "shop"), unit));
        Assert.Contains("10.0.0.300", error.Message, StringComparison.Ordinal);
    }
}
