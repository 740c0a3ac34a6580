using Weft.Api.Istio;

namespace Weft.Api.Tests.Istio;

public sealed class RuledHostsTests
{
    [Theory]
    [InlineData("web", "web.shop.svc.cluster.local", true)]
    [InlineData("web", "web.other.svc.cluster.local", false)]
    [InlineData("web.other.svc.cluster.local", "web.other.svc.cluster.local", true)]
    [InlineData("*.other.svc.cluster.local", "web.other.svc.cluster.local", true)]
    [InlineData("*", "web.other.svc.cluster.local", true)]
    public void A_virtual_service_speaks_for_its_hosts(string host, string service, bool expected) =>
        Assert.Equal(expected, RuledHosts.Of(Rules([host], []), "cluster.local").Any(one => RuledHosts.Covers(one, service)));

    /// <summary>What gateways alone have says nothing of what pods send.</summary>
    [Fact]
    public void Rules_for_gateways_alone_speak_for_nobody()
    {
        Assert.Empty(RuledHosts.Of(Rules(["*"], ["public"]), "cluster.local"));
        Assert.Equal(["*"], RuledHosts.Of(Rules(["*"], ["public", "mesh"]), "cluster.local"));
    }

    [Fact]
    public void A_destination_rule_speaks_for_its_host_when_others_take_over()
    {
        var rule = new DestinationRule { Metadata = new() { Namespace = "shop" }, Spec = new() { Host = "web" } };
        Assert.Empty(RuledHosts.Of(rule, "cluster.local"));
        var annotated = rule with { Metadata = new() { Namespace = "shop", Annotations = new Dictionary<string, string> { [RuledHosts.BackupAnnotation] = "web-backup" } } };
        Assert.Equal(["web.shop.svc.cluster.local"], RuledHosts.Of(annotated, "cluster.local"));
    }

    private static VirtualService Rules(IReadOnlyList<string> hosts, IReadOnlyList<string> gateways) => new() { Metadata = new() { Namespace = "shop" }, Spec = new() { Hosts = hosts, Gateways = gateways } };
}
