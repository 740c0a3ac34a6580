using System.Collections;
using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Routes;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Tests.Mesh;

/// <summary>How many tables a virtual service's rules stand in, and how much of the rules is looked at for each.</summary>
public sealed class RuleTablesTests
{
    private const int HostCount = 64;

    /// <summary>It is looked at for each table, so what does not fit is refused by its number.</summary>
    [Fact]
    public void Matches_that_do_not_fit_are_not_read()
    {
        // A table has 2,048 rules.
        var many = new CountedList<HTTPMatchRequest>(Matches(100_000));
        var snapshot = Compile(Rules(new() { Http = [new() { Match = many, DirectResponse = new() { Status = 200 } }] }));
        Assert.Equal(["spec.http[0]"], Fields(snapshot));
        // By the index, which counts the object's rules, and by what looks for rules that no request comes to.
        Assert.InRange(many.Reads, 100_000, 3 * 100_000);
    }

    [Fact]
    public void Matches_of_a_delegate_are_not_tried_with_each_other_where_they_do_not_fit()
    {
        var (root, own) = (new CountedList<HTTPMatchRequest>(Matches(362)), new CountedList<HTTPMatchRequest>(Matches(362)));
        var snapshot = Compile(Rules(new() { Http = [new() { Match = root, Delegate = new() { Name = "own" } }] }), Own(new() { Http = [new() { Match = own, DirectResponse = new() { Status = 200 } }] }));
        Assert.Equal(["VirtualService shop/own spec.http[0]"], snapshot.Diagnostics.Select(problem => $"{problem.Object} {problem.Field}"));
        // Twice 362 for the objects by themselves; each with each would be 131,044 for each of 64 tables.
        Assert.InRange(root.Reads + own.Reads, 1, 362 * 10);
    }

    [Fact]
    public void Rules_of_a_delegate_that_are_left_out_for_what_they_say_take_room_too()
    {
        IReadOnlyList<HTTPRoute> nested = new CountedList<HTTPRoute>([.. Enumerable.Repeat(new HTTPRoute { Delegate = new() { Name = "x" } }, 5000)]);
        var snapshot = Compile(Rules(new() { Http = [.. Enumerable.Repeat(new HTTPRoute { Delegate = new() { Name = "own" } }, 5000)] }), Own(new() { Http = nested }));
        Assert.Contains(snapshot.Diagnostics, problem => problem.Field == "spec.http[2048]" && problem.Message.Contains("2048 rules at most", StringComparison.Ordinal));
        Assert.InRange(((CountedList<HTTPRoute>)nested).Reads, 1, RuleLimits.Most + 20_000);
    }

    [Fact]
    public void Clients_with_destination_rules_of_their_own_have_tables_of_their_own()
    {
        var rules = Rules(new() { Http = [.. Enumerable.Range(0, 3000).Select(Route)] });
        Assert.Equal(["spec.http[2048]"], Fields(Compile(rules)));
        DestinationRule[] others = [.. new[] { "a", "b", "c" }.Select(name => new DestinationRule { Metadata = Named("d", name), Spec = new() { Host = "*", ExportTo = [.. Enumerable.Range(0, 256).Select(i => $"n{i}")] } })];
        // Each for itself: what is exported to others counts of the hosts' own namespace alone.
        var inputs = Inputs(rules) with { DestinationRules = [.. others] };
        var snapshot = MeshCompiler.Compile(inputs);
        Assert.Equal(["spec.http[512]"], Fields(snapshot));
        Assert.True(Held(snapshot) <= RuleLimits.Most);

        var more = inputs with { DestinationRules = [.. others, new() { Metadata = Named("d", "shop"), Spec = new() { Host = "*", ExportTo = ["n1", "n2", "n3", "n4"] } }] };
        var next = MeshCompiler.Compile(more, snapshot);
        Assert.Equal(["spec.http[128]"], Fields(next)); // 9 of 64 hosts
        Assert.Equal(MeshCompiler.Compile(more).Units.Select(UnitText.Of), next.Units.Select(UnitText.Of));
        Assert.Equal(["spec.http[512]"], Fields(MeshCompiler.Compile(inputs, next)));
    }

    [Fact]
    public void Clients_of_sidecars_have_tables_of_their_own_where_they_may_see_others()
    {
        var rules = Rules(new() { Http = [.. Enumerable.Range(0, 3000).Select(Route)] });
        var inputs = Inputs(rules) with { Sidecars = [.. new[] { "a", "b", "c" }.Select(name => Sidecar(name))] };
        // They see what everybody sees.
        var snapshot = MeshCompiler.Compile(inputs);
        Assert.Equal(["spec.http[2048]"], Fields(snapshot));
        Assert.Equal(RuleLimits.Most, Held(snapshot));

        // Everybody sees less: of each namespace a table.
        var less = inputs with { Sidecars = inputs.Sidecars.Add(Sidecar("istio-system", host: "none.example")) };
        var next = MeshCompiler.Compile(less, snapshot);
        Assert.Equal(["spec.http[512]"], Fields(next));
        Assert.Equal(3 * 512 * HostCount, Held(next));

        // And of each workload that is selected.
        var selected = less with { Sidecars = [.. less.Sidecars, .. Enumerable.Range(0, 5).Select(i => Sidecar("a", $"s{i}", new Dictionary<string, string> { ["app"] = $"{i}" }))] };
        Assert.Equal(["spec.http[128]"], Fields(MeshCompiler.Compile(selected, next)));
        Assert.Equal(["spec.http[2048]"], Fields(MeshCompiler.Compile(inputs, next)));
    }

    [Fact]
    public void An_object_with_more_tables_than_rules_is_not_there_for_the_mesh()
    {
        var rules = Rules(new() { Http = [Route(0)], ExportTo = [.. Enumerable.Range(0, 256).Select(i => $"n{i}")] });
        var inputs = Inputs(rules) with { ServiceEntries = Entries(513) };
        var snapshot = MeshCompiler.Compile(inputs);
        Assert.Equal(
            ["spec.http[0]: is more than VirtualService shop/v may have: its hosts have more than 131072 tables, one for each port and for the clients of each namespace that sees other rules, so none of its rules holds in the mesh; write fewer hosts"],
            snapshot.Diagnostics.Select(problem => $"{problem.Field}: {problem.Message}"));
        // And nobody is answered 404 by it.
        Assert.All(Tables(snapshot), table => Assert.Equal(["default"], table.Hosts[0].Routes.Select(route => route.Name)));
        Assert.Empty(MeshCompiler.Compile(inputs with { ServiceEntries = Entries(512) }, snapshot).Diagnostics);
    }

    [Fact]
    public void Lists_of_namespaces_count_as_far_as_they_may_be_long()
    {
        IReadOnlyList<string> to = [.. Enumerable.Range(0, 300).Select(i => $"n{i}")];
        var rules = Rules(new() { Http = [Route(0)], ExportTo = [.. to, "*"] });
        var snapshot = MeshCompiler.Compile(Inputs(rules) with
        {
            ServiceEntries = [.. Entries(1).Select(entry => entry with { Spec = entry.Spec with { ExportTo = [.. to, "*"] } })],
            DestinationRules = [new() { Metadata = Named("d", "shop"), Spec = new() { Host = "h0.example", ExportTo = to } }],
        });
        Assert.Equal(
            [.. new[] { "DestinationRule shop/d", "ServiceEntry shop/e0", "VirtualService shop/v" }.Select(name => $"{name} spec.exportTo[256]: is one too many: an object is exported to 256 namespaces at most, and the others of these {(name.StartsWith('D') ? 300 : 301)} are left out; write \"*\", or several objects")],
            snapshot.Diagnostics.Select(problem => $"{problem.Object} {problem.Field}: {problem.Message}"));
        Assert.Equal(256 + 1, Tables(snapshot).Single().Hosts[0].Routes.Count(route => !route.Name.Contains("/none", StringComparison.Ordinal)));
    }

    /// <summary>It is asked for all tables: when it is another, they are all compiled anew.</summary>
    [Fact]
    public void The_share_of_a_table_stays_when_hosts_come()
    {
        var rules = Rules(new() { Http = [.. Enumerable.Range(0, 3000).Select(Route)] });
        var snapshot = MeshCompiler.Compile(Inputs(rules) with { ServiceEntries = Entries(65) });
        Assert.Equal(["spec.http[1024]"], Fields(snapshot));
        var next = MeshCompiler.Compile(Inputs(rules) with { ServiceEntries = [.. snapshot.Index!.Inputs.ServiceEntries, .. Entries(70)[65..]] }, snapshot);
        Assert.Equal(["spec.http[1024]"], Fields(next));
        // Each of five by itself, its destination, cluster, routes, endpoints are none.
        Assert.InRange(next.Compiled, 5, 5 * 5);
    }

    [Fact]
    public void Small_rules_of_delegates_are_not_bounded()
    {
        var rules = Rules(new() { Http = [new() { Delegate = new() { Name = "own" } }] });
        var own = Own(new() { Http = [.. Enumerable.Range(0, 10).Select(Route)] });
        var snapshot = Compile(rules, own);
        Assert.Empty(snapshot.Index!.Answer(Question.RulesEach, "shop/v"));

        // What it is counted by is the delegate's as it is now, also when that has gateways, which it should not.
        var big = own with { Spec = own.Spec with { Gateways = ["door"], Http = [.. Enumerable.Range(0, 3000).Select(Route)] } };
        var next = MeshCompiler.Compile(Inputs(rules, own with { Spec = own.Spec with { Gateways = ["door"] } }), snapshot);
        next = MeshCompiler.Compile(Inputs(rules, big), next);
        Assert.Equal(2048, Assert.Single(next.Index!.Answer(Question.RulesEach, "shop/v")));
        Assert.True(Held(next) <= RuleLimits.Most);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_share_is_what_a_new_index_would_say_whatever_comes_and_goes(int seed)
    {
        var random = new Random(seed);
        IReadOnlyList<HTTPRoute> many = [.. Enumerable.Range(0, 1000).Select(Route)];
        string[] namespaces = ["a", "b", "shop", "istio-system"];
        MeshInputs inputs = new();
        MeshIndex? index = null;
        var shares = new HashSet<string>();
        for (var step = 0; step < 400; step++)
        {
            var meta = Named($"o{random.Next(3)}", namespaces[random.Next(4)]);
            bool IsOther(IObject value) => value.Metadata.Name != meta.Name || value.Metadata.Namespace != meta.Namespace;
            var comes = random.Next(4) > 0;
            IReadOnlyList<string> to = random.Next(2) == 0 ? [] : [namespaces[random.Next(4)], "other"];
            inputs = random.Next(5) switch
            {
                0 => inputs with { ServiceEntries = Next(inputs.ServiceEntries, () => new() { Metadata = meta, Spec = new() { Hosts = [.. Enumerable.Range(0, random.Next(1, 100)).Select(i => $"h{i}.{meta.Name}.{meta.Namespace}")], Resolution = "NONE", Ports = [new() { Number = 1, Name = "p" }, new() { Number = 2, Name = "q" }] } }) },
                1 => inputs with { DestinationRules = Next(inputs.DestinationRules, () => new() { Metadata = meta, Spec = new() { Host = random.Next(2) == 0 ? "*" : "h0.o0.a", ExportTo = to } }) },
                2 => inputs with { Sidecars = Next(inputs.Sidecars, () => new() { Metadata = meta, Spec = new() { WorkloadSelector = random.Next(2) == 0 ? null : new() { Labels = new Dictionary<string, string> { ["app"] = "a" } } } }) },
                3 => inputs with { VirtualServices = Next(inputs.VirtualServices, () => new() { Metadata = meta, Spec = new() { Gateways = random.Next(3) == 0 ? ["door"] : [], Http = [.. many.Take(random.Next(1000))] } }) },
                _ => inputs with { VirtualServices = Next(inputs.VirtualServices, () => new() { Metadata = meta, Spec = new() { Hosts = ["*", "h1.o1.b"], Gateways = random.Next(4) == 0 ? ["door"] : [], ExportTo = to, Http = random.Next(2) == 0 ? many : [new() { Delegate = new() { Name = $"o{random.Next(3)}", Namespace = namespaces[random.Next(4)] } }] } }) },
            };
            var next = new MeshIndex(inputs, index, HostAddresses.None, []);
            Assert.Equal(Shares(new(inputs, null, HostAddresses.None, [])), Shares(next));
            shares.UnionWith(Shares(next));
            if (random.Next(4) > 0)
                index = next;

            ImmutableArray<T> Next<T>(ImmutableArray<T> all, Func<T> one) where T : IObject => [.. all.Where(value => IsOther(value)), .. comes ? [one()] : Array.Empty<T>()];
        }

        Assert.True(shares.Count > 20, string.Join(' ', shares));

        List<string> Shares(MeshIndex of) => [.. namespaces.SelectMany(space => Enumerable.Range(0, 3).Select(i => $"{space}/o{i}")).Select(name => $"{name}: {string.Join(',', of.Answer(Question.RulesEach, name))}")];
    }

    [Fact]
    public void What_the_mesh_leaves_out_is_served_at_the_front_door_and_checked()
    {
        var at = new Gateway { Metadata = Named("door", "shop"), Spec = new() { Selector = new Dictionary<string, string> { ["istio"] = "ingressgateway" }, Servers = [new() { Port = new() { Number = 80, Name = "http", Protocol = "HTTP" }, Hosts = ["*"] }] } };
        var last = new HTTPRoute { Match = [new() { Uri = new() { Exact = "nowhere" } }], DirectResponse = new() { Status = 200 } };
        var rules = Rules(new() { Gateways = ["mesh", "door"], Http = [.. Enumerable.Range(0, 3000).Select(Route), last] });
        var snapshot = MeshCompiler.Compile(Inputs(rules) with { Gateways = [at] });
        // The rule behind those that the mesh has is looked at.
        Assert.Equal(["spec.http[2048]", "spec.http[3000].match[0].uri.exact"], Fields(snapshot));
        Assert.Equal(3000, Door(snapshot).Routes.Count);
        // Also before there is the gateway.
        Assert.Equal(["spec.gateways[1]", "spec.http[2048]", "spec.http[3000].match[0].uri.exact"], Fields(Compile(rules)));

        // Matches for gateways alone take little of the mesh's room.
        var alone = Enumerable.Range(0, 3000).Select(i => Route(i) with { Match = [new() { Uri = new() { Exact = $"/{i}" }, Gateways = ["door"] }] });
        rules = Rules(new() { Gateways = ["mesh", "door"], Http = [.. alone, .. Enumerable.Range(3000, 1600).Select(Route)] });
        snapshot = MeshCompiler.Compile(Inputs(rules) with { Gateways = [at] });
        Assert.Empty(snapshot.Diagnostics);
        Assert.Equal(1600 * HostCount, Held(snapshot));
        Assert.Equal(4600, Door(snapshot).Routes.Count);

        static VirtualHostConfig Door(MeshSnapshot snapshot) => snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Routes).Select(unit => (RouteTableConfig)UnitCodec.Read(unit)).Where(table => table.Name == DoorTables.Of(80)).SelectMany(table => table.Hosts).First();
    }

    [Fact]
    public void What_another_has_is_listed_in_part()
    {
        var rules = Rules(new() { Gateways = ["door"], Http = [new() { Route = [new() { Destination = new() { Host = "h0.example", Port = new() { Number = 1 }, Subset = "none" } }] }] });
        var at = new Gateway { Metadata = Named("door", "shop"), Spec = new() { Selector = new Dictionary<string, string> { ["istio"] = "ingressgateway" }, Servers = [new() { Port = new() { Number = 80, Name = "http", Protocol = "HTTP" }, Hosts = [.. Enumerable.Range(0, 1000).Select(i => $"other/h{i}.example")] }] } };
        var to = new DestinationRule { Metadata = Named("d", "shop"), Spec = new() { Host = "h0.example", Subsets = [.. Enumerable.Range(0, 9).Select(i => new Subset { Name = $"s{i}", Labels = new Dictionary<string, string> { ["v"] = $"{i}" } })] } };
        var told = MeshCompiler.Compile(Inputs(rules) with { Gateways = [at], DestinationRules = [to] }).Diagnostics.Where(problem => problem.Object.Kind == "VirtualService").ToDictionary(problem => problem.Field, problem => problem.Message);
        Assert.EndsWith("its hosts are other/h0.example, other/h1.example, other/h2.example, other/h3.example, other/h4.example, other/h5.example, other/h6.example, other/h7.example and 992 others", told["spec.gateways[0]"], StringComparison.Ordinal);
        Assert.EndsWith("it has s0, s1, s2, s3, s4, s5, s6, s7 and 1 other", told["spec.http[0].route[0].destination.subset"], StringComparison.Ordinal);
    }

    private static List<string> Fields(MeshSnapshot snapshot) => [.. snapshot.Diagnostics.Select(problem => problem.Field)];

    private static IEnumerable<RouteTableConfig> Tables(MeshSnapshot snapshot) =>
        snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Routes).Select(unit => (RouteTableConfig)UnitCodec.Read(unit)).Where(table => table.Name.StartsWith('h'));

    // The virtual service's own, in all tables of the mesh.
    private static int Held(MeshSnapshot snapshot) =>
        Tables(snapshot).Sum(table => table.Hosts.Sum(host => host.Routes.Count(route => route.Name.StartsWith("shop/v/", StringComparison.Ordinal) && !route.Name.Contains("/none", StringComparison.Ordinal))));

    private static MeshSnapshot Compile(params VirtualService[] rules) => MeshCompiler.Compile(Inputs(rules));

    private static MeshInputs Inputs(params VirtualService[] rules) => new() { ServiceEntries = Entries(HostCount), VirtualServices = [.. rules] };

    private static ImmutableArray<ServiceEntry> Entries(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new ServiceEntry
        {
            Metadata = Named($"e{i}", "shop"), Spec = new() { Hosts = [$"h{i}.example"], Resolution = "NONE", Ports = [new() { Number = 1, Name = "p", Protocol = "HTTP" }] },
        }),
    ];

    private static VirtualService Rules(VirtualServiceSpec spec) => new() { Metadata = Named("v", "shop"), Spec = spec with { Hosts = ["*"] } };

    private static VirtualService Own(VirtualServiceSpec spec) => new() { Metadata = Named("own", "shop"), Spec = spec };

    private static HTTPRoute Route(int i) => new() { Match = [new() { Uri = new() { Exact = $"/{i}" } }], DirectResponse = new() { Status = 200 } };

    private static IReadOnlyList<HTTPMatchRequest> Matches(int count) => [.. Enumerable.Range(0, count).Select(i => new HTTPMatchRequest { Uri = new() { Exact = $"/{i}" } })];

    private static Sidecar Sidecar(string @namespace, string name = "default", IReadOnlyDictionary<string, string>? labels = null, string host = "*") => new()
    {
        Metadata = Named(name, @namespace),
        Spec = new() { WorkloadSelector = labels is null ? null : new() { Labels = labels }, Egress = [new() { Hosts = [$"*/{host}"] }] },
    };

    private static ObjectMeta Named(string name, string @namespace) => new() { Name = name, Namespace = @namespace };

    private sealed class CountedList<T>(IReadOnlyList<T> items) : IReadOnlyList<T>
    {
        public long Reads { get; private set; }

        public int Count => items.Count;

        public T this[int index]
        {
            get
            {
                Reads++;
                return items[index];
            }
        }

        public IEnumerator<T> GetEnumerator()
        {
            for (var i = 0; i < items.Count; i++)
                yield return this[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
