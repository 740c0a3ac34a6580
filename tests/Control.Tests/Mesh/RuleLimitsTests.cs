using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Routes;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Tests.Mesh;

/// <summary>How many rules one virtual service may have every node's proxy hold: each port of each host has a table of its own with them.</summary>
public sealed class RuleLimitsTests
{
    [Theory]
    [InlineData(false, 64)]   // 1024 hosts with 2 ports
    [InlineData(true, 16, "a", "b", "shop", "d")]
    public void Rules_stand_for_many_hosts_as_far_as_there_is_room(bool isWildcard, int each, params string[] exportTo)
    {
        var rules = Rules(isWildcard ? ["*"] : Hosts(1024), new() { Http = [.. Enumerable.Range(0, 100).Select(Route)], ExportTo = exportTo });
        var snapshot = MeshCompiler.Compile(new() { ServiceEntries = Entries(2, "HTTP"), VirtualServices = [rules] });
        Assert.Equal([$"spec.http[{each}]: is more than VirtualService shop/v may have: each port of each of its hosts has {each} rules at most (131072 in all; one with several matches or destinations counts as many), and this one and those after it are left out; write fewer hosts or rules"], Told(snapshot));
        Assert.Equal(RuleLimits.Most, Tables(snapshot).Sum(table => table.Hosts.Sum(host => host.Routes.Count(route => route.Name.StartsWith("shop/v/http[", StringComparison.Ordinal)))));

        // With fewer hosts there is room for all; what stood is compiled anew.
        var fewer = MeshCompiler.Compile(new() { ServiceEntries = Entries(2, "HTTP")[..1], VirtualServices = [isWildcard ? rules with { Spec = rules.Spec with { ExportTo = ["*"] } } : rules with { Spec = rules.Spec with { Hosts = Hosts(128) } }] }, snapshot);
        Assert.Empty(Told(fewer));
        Assert.All(Tables(fewer).Where(table => table.Name.StartsWith("h1.", StringComparison.Ordinal)), table => Assert.Equal(100, table.Hosts[0].Routes.Count));
    }

    [Fact]
    public void Rules_for_connections_count_by_matches_and_destinations()
    {
        var match = new TLSMatchAttributes { SniHosts = ["h1.example"] };
        RouteDestination[] to = [new() { Destination = new() { Host = "h1.example" } }];
        var rules = Rules(Hosts(1024), new()
        {
            Tls = [.. Enumerable.Repeat(new TLSRoute { Match = [match, match], Route = to }, 10)],
            Tcp = [.. Enumerable.Repeat(new TCPRoute { Match = [new()], Route = to }, 100)],
        });
        var snapshot = MeshCompiler.Compile(new() { ServiceEntries = Entries(2, "TLS"), VirtualServices = [rules] });
        Assert.Equal(["spec.tcp[44]"], snapshot.Diagnostics.Select(problem => problem.Field));
        Assert.Equal(RuleLimits.Most + 2048, snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Destination).Sum(unit => ((DestinationUnit)UnitCodec.Read(unit)).Ports.Sum(port => port.Connections.Count)));   // and each host itself
    }

    [Fact]
    public void Rules_of_delegates_count_as_often_as_they_are_named_and_matches_with_each_other()
    {
        var own = Rules([], new() { Http = [.. Enumerable.Range(0, 50_000).Select(Route)] }) with { Metadata = Named("own") };
        var rules = Rules(Hosts(1), new() { Http = [.. Enumerable.Repeat(new HTTPRoute { Delegate = new() { Name = "own" } }, 1000)] });
        var snapshot = MeshCompiler.Compile(new() { ServiceEntries = Entries(1, "HTTP"), VirtualServices = [rules, own] });
        var told = Assert.Single(snapshot.Diagnostics);
        Assert.Equal(("own", "spec.http[31072]"), (told.Object.Name, told.Field));
        Assert.Equal(RuleLimits.Most, Tables(snapshot).Single(table => table.Name == "h0.example:1").Hosts.Sum(host => host.Routes.Count));

        IReadOnlyList<HTTPMatchRequest> matches = [.. Enumerable.Range(0, 400).Select(i => new HTTPMatchRequest { Uri = new() { Exact = $"/{i}" } })];
        rules = Rules(Hosts(1), new() { Http = [new() { Match = matches, Delegate = new() { Name = "own" } }] });
        snapshot = MeshCompiler.Compile(new() { ServiceEntries = Entries(1, "HTTP"), VirtualServices = [rules, own with { Spec = new() { Http = [Route(0) with { Match = matches }] } }] });
        Assert.Equal(["spec.http[0].match: has 400, and the rule of VirtualService shop/v that leads here 400: each with each they are more than 131072, so the rule is left out; write fewer"], Told(snapshot));
    }

    [Fact]
    public void Rules_that_are_called_alike_have_names_of_their_own()
    {
        var rules = Rules(Hosts(1), new() { Http = [.. ((string[])["a", "a", "a#2", "a", "a"]).Select((name, i) => Route(i) with { Name = name })] });
        var snapshot = MeshCompiler.Compile(new() { ServiceEntries = Entries(1, "HTTP"), VirtualServices = [rules] });
        Assert.Equal(["shop/v/a", "shop/v/a#2", "shop/v/a#2#2", "shop/v/a#3", "shop/v/a#4"], Tables(snapshot).Single(table => table.Name == "h0.example:1").Hosts[0].Routes.Select(route => route.Name));
    }

    /// <summary>A mistake in one object is that object's, and what stood before stays.</summary>
    [Fact]
    public void Lists_that_are_null_are_no_more_than_others()
    {
        var rules = Rules(Hosts(1), new() { Http = null!, Tls = [null!], Tcp = [null!], ExportTo = null! });
        Assert.NotEmpty(MeshCompiler.Compile(new() { ServiceEntries = Entries(1, "HTTP"), VirtualServices = [rules] }).Diagnostics);
    }

    private static List<string> Told(MeshSnapshot snapshot) => [.. snapshot.Diagnostics.Select(problem => $"{problem.Field}: {problem.Message}")];

    private static IEnumerable<RouteTableConfig> Tables(MeshSnapshot snapshot) => snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Routes).Select(unit => (RouteTableConfig)UnitCodec.Read(unit));

    private static VirtualService Rules(IReadOnlyList<string> hosts, VirtualServiceSpec spec) => new() { Metadata = Named("v"), Spec = spec with { Hosts = hosts } };

    private static HTTPRoute Route(int i) => new() { Match = [new() { Uri = new() { Exact = $"/{i}" } }], DirectResponse = new() { Status = 200 } };

    /// <summary>Four with 256 hosts each.</summary>
    private static ImmutableArray<ServiceEntry> Entries(int ports, string protocol) =>
    [
        .. Hosts(1024).Chunk(256).Select((hosts, i) => new ServiceEntry
        {
            Metadata = Named($"e{i}"),
            Spec = new() { Hosts = hosts, Resolution = "NONE", Ports = [.. Enumerable.Range(1, ports).Select(port => new ServiceEntryPort { Number = port, Name = $"p{port}", Protocol = protocol })] },
        }),
    ];

    private static IReadOnlyList<string> Hosts(int count) => [.. Enumerable.Range(0, count).Select(i => $"h{i}.example")];

    private static ObjectMeta Named(string name) => new() { Name = name, Namespace = "shop" };
}
