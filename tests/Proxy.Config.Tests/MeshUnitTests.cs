using System.Reflection;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Tests.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Config.Tests;

/// <summary>The bytes of the mesh's units.</summary>
public sealed class MeshUnitTests
{
    private static readonly Type[] Units =
    [
        typeof(DestinationUnit), typeof(RouteTableConfig), typeof(ClusterUnit), typeof(BackendsUnit), typeof(WorkloadUnit), typeof(PolicyUnit), typeof(TokensUnit), typeof(ListenerUnit),
    ];

    // All that a unit of the mesh may contain.
    private static IEnumerable<Type> Records => typeof(ProxyConfig).Assembly.GetTypes()
        .Where(t => (t.Namespace == typeof(ProxyConfig).Namespace || Units.Contains(t) || t == typeof(DestinationPort) || t == typeof(BackendPort) || t == typeof(PortMutualTls))
            && t is { IsClass: true, IsAbstract: false } && t.GetMethod("<Clone>$") is not null);

    public static TheoryData<string> Types => [.. Records.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Whatever_a_record_holds_is_read_back(string name)
    {
        var type = Records.Single(type => type.Name == name);
        for (var number = 0; number < 12; number++)
            Same(Sample.Record(type, number));
        // One property at a time, also at the zero of its type, where the default is another.
        foreach (var property in Sample.Settable(type))
        {
            foreach (var value in new[] { Sample.Of(property.PropertyType, 1), Sample.Of(property.PropertyType, 2), Zero(property) })
            {
                var record = type.GetConstructor(Type.EmptyTypes) is null ? Sample.Record(type, 3) : Activator.CreateInstance(type)!;
                property.SetValue(record, value);
                Same(record);
            }
        }
    }

    [Fact]
    public void A_unit_that_is_as_by_default_says_nothing() => Assert.Equal("{}", Encoding.UTF8.GetString(UnitCodec.Workload("a/b", new()).Bytes.Span));

    private static void Same(object record)
    {
        var write = typeof(ModelJson).GetMethod(nameof(ModelJson.Write))!.MakeGenericMethod(record.GetType());
        var read = typeof(ModelJson).GetMethod(nameof(ModelJson.Read))!.MakeGenericMethod(record.GetType());
        var unit = (ConfigUnit)write.Invoke(null, [new UnitKey(UnitKind.Cluster, "x"), record])!;
        Assert.True(record.Equals(read.Invoke(null, [unit])), Encoding.UTF8.GetString(unit.Bytes.Span));
    }

    private static object? Zero(PropertyInfo property)
    {
        var type = property.PropertyType;
        if (type.IsValueType)
            return Activator.CreateInstance(type);
        return new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable ? null : Sample.Of(type, 4);
    }

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
