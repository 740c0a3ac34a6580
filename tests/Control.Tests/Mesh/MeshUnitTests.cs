using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Tests.Mesh;

/// <summary>The bytes of the mesh's units.</summary>
public sealed class MeshUnitTests
{
    [Fact]
    public void What_is_not_as_by_default_is_written_also_where_it_is_false_or_nothing()
    {
        var action = new ForwardAction { Clusters = [new() { Cluster = "a", Weight = 0 }], HonourGrpcTimeout = false, Upgrades = [], MaxRequestBytes = 0, IdleTimeout = TimeSpan.Zero, Retry = RetryPolicy.None };
        var table = new RouteTableConfig { Name = "t", Hosts = [new() { Name = "h", Domains = ["*"], Routes = [new() { Name = "r", Action = action }] }] };
        Assert.Equal(table, UnitCodec.Read(UnitCodec.Routes(table)));

        var cluster = new ClusterUnit { Cluster = new() { Name = "c", KeepAlive = null, PanicThreshold = 0, RetryBudget = new(0, 0), Dns = new("d", 80) { Refresh = TimeSpan.FromSeconds(1) }, SlowStart = new(TimeSpan.FromSeconds(3)) } };
        Assert.Equal(cluster, UnitCodec.Read(UnitCodec.Cluster(cluster)));
    }

    [Fact]
    public void Filters_matches_and_policies_keep_their_kinds()
    {
        var route = new RouteConfig
        {
            Name = "r", Matches = [new() { Path = new(PathMatchKind.Regex, "/a"), Headers = [new("x"), new("y", StringMatch.Regex("z"), Invert: true)] }],
            Action = new RedirectAction { Port = 1, DropQuery = true },
            Filters =
            [
                new CorsFilter { AllowOrigins = [StringMatch.Prefix("a")], MaxAge = TimeSpan.Zero }, new FaultFilter { AbortGrpcStatus = 0 }, new JwtFilter { Providers = ["p"] },
                new RateLimitFilter { Requests = 1, Keys = [new AddressKey(), new HeaderKey("x")] }, new BodyLimitFilter(5),
                new AuthorizationFilter { Policies = [new() { Name = "p", Rules = [new() { When = [new("source.ip", ["10.0.0.0/8"])] }] }] },
            ],
        };
        var table = new RouteTableConfig { Name = "t", Hosts = [new() { Name = "h", Domains = ["*"], Routes = [route] }] };
        Assert.Equal(table, UnitCodec.Read(UnitCodec.Routes(table)));
    }

    [Theory]
    [InlineData("""{"authorization":{"name":"a","action":"deny","rules":[{"weather":"bad"}]}}""")] // a condition of a newer server
    [InlineData("""{"authorization":{"name":"a","action":"ponder"}}""")]
    [InlineData("""{"authorization":{"name":"a","action":1}}""")]
    [InlineData("""{"authorization":{"name":null}}""")]
    [InlineData("""{"authorization":{"name":"a","rules":[null]}}""")]
    [InlineData("""{"authorization":{"name":"a","rules":null}}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    public void What_is_not_understood_is_refused_and_not_passed_over(string json)
    {
        var unit = ConfigUnit.Create(new(UnitKind.Policy, "shop/a"), Encoding.UTF8.GetBytes(json));
        Assert.Throws<UnitException>(() => UnitCodec.Read(unit));
    }

    [Fact]
    public void A_filter_that_is_not_known_is_refused()
    {
        const string Json = """{"name":"t","hosts":[{"name":"h","domains":["*"],"routes":[{"name":"r","filters":[{"type":"crystalBall"}]}]}]}""";
        Assert.Throws<UnitException>(() => UnitCodec.Read(ConfigUnit.Create(new(UnitKind.Routes, "t"), Encoding.UTF8.GetBytes(Json))));
    }
}
