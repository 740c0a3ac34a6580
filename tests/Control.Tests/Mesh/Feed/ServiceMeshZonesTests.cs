using Weft.Api.Linkerd;
using Weft.Control.Mesh.Zones;

namespace Weft.Control.Tests.Mesh.Feed;

public sealed class ServiceMeshZonesTests
{
    [Theory]
    [InlineData("linkerd.local", "linkerd.local", null)]
    [InlineData("Mesh.Example.", "mesh.example", null)]
    [InlineData("com", null, "'com' would take the names of a whole top-level domain away")]
    [InlineData("", null, "is missing")]
    [InlineData("*.x", null, "is no domain")]
    [InlineData("cluster.local", null, "is the cluster's zone already")]
    [InlineData("svc.cluster.local", null, "are in each other")]
    [InlineData("1.in-addr.arpa", null, "are in each other")]
    public void A_domain_becomes_a_zone_or_is_told_why_not(string domain, string? zone, string? problem)
    {
        var (units, diagnostics) = ServiceMeshZones.Of([Mesh(true, domain)], "cluster.local");
        Assert.Equal(zone, units.SingleOrDefault()?.Key.Name);
        Assert.Equal(problem is null, diagnostics.IsEmpty);
        if (problem is not null)
            Assert.Contains(problem, Assert.Single(diagnostics).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_switched_off_has_no_effect()
    {
        var (units, diagnostics) = ServiceMeshZones.Of([Mesh(false, "linkerd.local"), new() { Metadata = new() { Name = "empty" } }], "cluster.local");
        Assert.Empty(units);
        Assert.Equal(2, diagnostics.Length);
    }

    private static ServiceMesh Mesh(bool isOn, string domain) => new()
    {
        Metadata = new() { Name = "mesh" },
        Spec = new() { Config = new() { Service = new() { Discovery = new() { Enabled = isOn, Dns = new() { Enabled = true, Domain = domain } } } } },
    };
}
