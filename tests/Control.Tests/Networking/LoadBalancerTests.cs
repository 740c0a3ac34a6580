using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Networking;
using Weft.Control.Tests.Cluster;
using Weft.Testing;

namespace Weft.Control.Tests.Networking;

public sealed class LoadBalancerTests
{
    private static readonly IPNetwork Pool = IPNetwork.Parse("10.97.0.0/29");

    private static Service Balancer(string? asked = null, string? has = null, string? @class = null) => new()
    {
        Metadata = new ObjectMeta { Name = "web", Namespace = "default" },
        Spec = new ServiceSpec { Type = "LoadBalancer", LoadBalancerIP = asked, LoadBalancerClass = @class, Ports = [new ServicePort { Port = 80 }] },
        Status = has is null ? new ServiceStatus() : new ServiceStatus { LoadBalancer = new LoadBalancerStatus { Ingress = [new LoadBalancerIngress { Ip = has }] } },
    };

    private static string Plan(Service service, params string[] taken) =>
        LoadBalancerPlanner.Plan(service, Pool, taken.ToHashSet()) is var plan ? $"{plan.Address}{(plan.Problem is null ? "" : $" ({plan.Problem})")}" : "";

    [Fact]
    public void An_address_is_kept_chosen_or_refused()
    {
        Assert.Equal("10.97.0.1", Plan(Balancer()));
        Assert.Equal("10.97.0.3", Plan(Balancer(), "10.97.0.1", "10.97.0.2"));
        Assert.Equal("10.97.0.4", Plan(Balancer(has: "10.97.0.4")));
        Assert.Equal("10.97.0.1", Plan(Balancer(has: "10.97.0.4"), "10.97.0.4"));
        Assert.Equal("10.97.0.1", Plan(Balancer(has: "192.0.2.1")));
        Assert.Equal("10.97.0.5", Plan(Balancer(asked: "10.97.0.5", has: "10.97.0.4")));
        Assert.Equal("10.97.0.1 (spec.loadBalancerIP 10.97.0.5 is another service's; the service has another)", Plan(Balancer(asked: "10.97.0.5"), "10.97.0.5"));
        Assert.Equal("10.97.0.1 (spec.loadBalancerIP 192.0.2.7 is not one of this cluster's (10.97.0.0/29); the service has another)", Plan(Balancer(asked: "192.0.2.7")));
        Assert.Equal(" (every address of 10.97.0.0/29 is in use)", Plan(Balancer(), [.. Enumerable.Range(1, 6).Select(i => $"10.97.0.{i}")]));
    }

    [Fact]
    public void Another_class_is_somebody_elses()
    {
        Assert.True(LoadBalancerPlanner.Serves(Balancer()));
        Assert.True(LoadBalancerPlanner.Serves(Balancer(@class: LoadBalancerPlanner.Class)));
        Assert.False(LoadBalancerPlanner.Serves(Balancer(@class: "example.com/lb")));
    }

    [Fact]
    public async Task Every_balancer_gets_an_address_of_its_own_and_gives_it_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        var services = cluster.Client.For<Service>();
        for (var i = 0; i < 7; i++)
            await services.CreateAsync("default", Balancer() with { Metadata = new ObjectMeta { Name = $"s{i}", Namespace = "default" } }, default);

        // Six addresses for seven services: one waits, until one goes.
        await Eventually.TrueAsync(async () => (await AddressesAsync()).Count == 6, "six have an address");
        Assert.Equal(6, (await AddressesAsync()).Values.Distinct().Count());
        var waiting = Enumerable.Range(0, 7).Select(i => $"s{i}").Except((await AddressesAsync()).Keys).Single();
        var first = (await AddressesAsync()).First();
        await services.PatchAsync(new ObjectKey("default", first.Key), Weft.Client.Patch.Merge(new JsonObject { ["spec"] = new JsonObject { ["type"] = "ClusterIP" } }), default);

        await Eventually.TrueAsync(async () => (await AddressesAsync()).GetValueOrDefault(waiting) == first.Value, "the one that waited has it");
        Assert.DoesNotContain(first.Key, (await AddressesAsync()).Keys);
        Assert.Empty(cluster.Complaints);

        async Task<Dictionary<string, string>> AddressesAsync() => (await services.ListAsync("default", default)).Items
            .Where(service => service.Status.LoadBalancer?.Ingress.Count > 0).ToDictionary(service => service.Metadata.Name!, service => service.Status.LoadBalancer!.Ingress[0].Ip!);
    }
}
