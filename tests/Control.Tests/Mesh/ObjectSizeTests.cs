using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Tests.Mesh;

/// <summary>What one object may have every node's proxy hold, also under a user's own definition of its kind, which has no bounds.</summary>
public sealed class ObjectSizeTests
{
    [Fact]
    public void An_entry_has_some_hosts_and_these_some_ports_and_endpoints()
    {
        var snapshot = Compile(new ServiceEntrySpec { Hosts = Hosts(300), Ports = Ports(20), Resolution = "STATIC", Endpoints = Endpoints(40) });
        Assert.Equal(256, snapshot.Units.Count(unit => unit.Key.Kind == UnitKind.Destination));
        Assert.Equal(4096, snapshot.Units.Count(unit => unit.Key.Kind == UnitKind.Cluster) - 1); // and that of unknown hosts
        Assert.Equal(65_536, snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Backends).Sum(unit => ((BackendsUnit)UnitCodec.Read(unit)).Ports.Sum(port => port.Endpoints.Count)));
        Assert.Equal(
            ["spec.endpoints[16]: is more than the entry may have: 256 hosts with 16 ports have 16 endpoints each at most (65536 in all), and the others of these 40 are left out; write several entries",
             "spec.hosts[256]: is one too many: an entry has 256 hosts at most, and the others of these 300 are left out; write several entries",
             "spec.ports[16]: is one too many: 256 hosts have 16 ports each at most (4096 in all), and the others of these 20 are left out; write several entries"],
            snapshot.Diagnostics.Select(problem => $"{problem.Field}: {problem.Message}"));
        // And no host beyond has an address of its own.
        Assert.Equal(256, snapshot.Index!.HostAddresses.Wanted["shop/e"].Length);
    }

    [Fact]
    public void One_host_has_all_that_istio_lets_it_have()
    {
        var snapshot = Compile(new ServiceEntrySpec { Hosts = Hosts(1), Ports = Ports(1), Resolution = "STATIC", Endpoints = Endpoints(4096) });
        Assert.Empty(snapshot.Diagnostics);
    }

    [Fact]
    public void Rules_and_servers_of_gateways_have_some_hosts()
    {
        var meta = new ObjectMeta { Name = "a", Namespace = "shop" };
        var rules = new VirtualService { Metadata = meta, Spec = new() { Hosts = Hosts(1025), Gateways = ["a"], Http = [new() { DirectResponse = new() { Status = 200 } }] } };
        var server = new Server { Port = new() { Number = 80, Name = "http", Protocol = "HTTP" }, Hosts = ["*"] };
        var gateway = new Gateway { Metadata = meta, Spec = new() { Selector = new Dictionary<string, string> { ["istio"] = "ingressgateway" }, Servers = [server] } };
        var snapshot = MeshCompiler.Compile(new() { VirtualServices = [rules], Gateways = [gateway] });
        Assert.Equal(["spec.hosts[1024]"], snapshot.Diagnostics.Select(problem => problem.Field));
        Assert.DoesNotContain(snapshot.Units, unit => System.Text.Encoding.UTF8.GetString(unit.Bytes.Span).Contains("h1024.example", StringComparison.Ordinal));
    }

    [Fact]
    public void A_server_of_a_gateway_keeps_its_first_hosts()
    {
        var meta = new ObjectMeta { Name = "a", Namespace = "shop" };
        var server = new Server { Port = new() { Number = 80, Name = "http", Protocol = "HTTP" }, Hosts = Hosts(1026), Tls = new() { HttpsRedirect = true } };
        var spec = new GatewaySpec { Selector = new Dictionary<string, string> { ["istio"] = "ingressgateway" }, Servers = [server, server with { Port = server.Port with { Number = 81 }, Hosts = ["*"], Tls = null }] };
        var rules = new VirtualService { Metadata = meta, Spec = new() { Hosts = ["h0.example", "h1023.example"], Gateways = ["a"], Http = [new() { DirectResponse = new() { Status = 200 } }] } };
        var snapshot = MeshCompiler.Compile(new() { Gateways = [new() { Metadata = meta, Spec = spec }], VirtualServices = [rules, Beyond("h1024.example"), Beyond("h1025.example")] });
        Assert.Equal(
            ["spec.servers[0].hosts[1024]: is one too many: a server has 1024 hosts at most, and the others of these 1026 are left out; write a wildcard, or several servers"],
            snapshot.Diagnostics.Select(problem => $"{problem.Field}: {problem.Message}"));
        Assert.Equal([80, 81], snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Listener).Select(unit => ((ListenerUnit)UnitCodec.Read(unit)).Listener.Port).Order());
        var domains = snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Routes).Select(unit => (RouteTableConfig)UnitCodec.Read(unit)).Where(table => table.Name == DoorTables.Of(80)).SelectMany(table => table.Hosts).SelectMany(host => host.Domains).ToHashSet();
        Assert.Equal(Hosts(1024).ToHashSet(), domains);

        // Its rules are served at the other server's port alone.
        VirtualService Beyond(string host) => rules with { Metadata = meta with { Name = host[..5] }, Spec = rules.Spec with { Hosts = [host] } };
    }

    /// <summary>What is beyond is not looked at: the status would be as long as the lists, and the work as their square.</summary>
    [Fact]
    public void Of_lists_that_are_too_long_the_beginning_is_read()
    {
        const int Many = 100_000;
        var snapshot = Compile(new ServiceEntrySpec
        {
            Hosts = [.. Enumerable.Repeat("not a host", Many)], Addresses = [.. Enumerable.Repeat("not an address", Many)], Ports = [.. Enumerable.Repeat(new ServiceEntryPort { Number = 0, Name = "tcp" }, Many)],
            Resolution = "DNS_ROUND_ROBIN", Endpoints = [.. Enumerable.Range(0, Many).Select(_ => new WorkloadEntrySpec { Address = "not a name" })],
        });
        var fields = snapshot.Diagnostics.GroupBy(problem => problem.Field.Split('[')[0]).ToDictionary(group => group.Key, group => group.Count());
        // One more says that there are others; and each port but the first stands twice.
        Assert.Equal(new Dictionary<string, int> { ["spec.hosts"] = 257, ["spec.addresses"] = 257, ["spec.ports"] = 16 + 15 + 1, ["spec.endpoints"] = 4097 }, fields);
    }

    [Fact]
    public void A_host_has_as_many_endpoints_as_are_written_or_selected()
    {
        var spec = new ServiceEntrySpec { Hosts = Hosts(1), Ports = Ports(1), Resolution = "STATIC", Endpoints = Endpoints(5000) };
        var snapshot = Compile(spec);
        Assert.Equal(
            ["spec.endpoints[4096]: is one too many: an entry has 4096 endpoints at most, and the others of these 5000 are left out; write several entries"],
            snapshot.Diagnostics.Select(problem => $"{problem.Field}: {problem.Message}"));
        Assert.Equal(4096, Count(snapshot));

        // Selected ones are objects of their own.
        var all = spec.Endpoints.Select((endpoint, i) => new WorkloadEntry { Metadata = new ObjectMeta { Name = $"w{i}", Namespace = "shop" }, Spec = endpoint with { Labels = new Dictionary<string, string> { ["app"] = "vm" } } });
        var entry = new ServiceEntry { Metadata = new ObjectMeta { Name = "e", Namespace = "shop" }, Spec = spec with { Endpoints = [], WorkloadSelector = new() { Labels = new Dictionary<string, string> { ["app"] = "vm" } } } };
        snapshot = MeshCompiler.Compile(new() { ServiceEntries = [entry], WorkloadEntries = [.. all] });
        Assert.Empty(snapshot.Diagnostics);
        Assert.Equal(5000, Count(snapshot));

        static int Count(MeshSnapshot snapshot) => snapshot.Units.Where(unit => unit.Key.Kind == UnitKind.Backends).Sum(unit => ((BackendsUnit)UnitCodec.Read(unit)).Ports.Sum(port => port.Endpoints.Count));
    }

    private static MeshSnapshot Compile(ServiceEntrySpec spec) => MeshCompiler.Compile(new() { ServiceEntries = [new() { Metadata = new ObjectMeta { Name = "e", Namespace = "shop" }, Spec = spec }] });

    private static IReadOnlyList<string> Hosts(int count) => [.. Enumerable.Range(0, count).Select(i => $"h{i}.example")];

    private static IReadOnlyList<ServiceEntryPort> Ports(int count) => [.. Enumerable.Range(1, count).Select(i => new ServiceEntryPort { Number = i, Name = $"tcp-{i}", Protocol = "TCP" })];

    private static IReadOnlyList<WorkloadEntrySpec> Endpoints(int count) => [.. Enumerable.Range(0, count).Select(i => new WorkloadEntrySpec { Address = $"192.0.{2 + (i >> 8)}.{i & 0xFF}" })];
}
