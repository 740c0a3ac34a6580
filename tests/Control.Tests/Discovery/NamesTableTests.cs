using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Discovery;
using Weft.Api.Istio;
using Weft.Control.Discovery.Dns;
using Weft.Control.Discovery.Files;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Outputs;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Testing;
using Entry = Weft.Control.Discovery.Model.Entry;

namespace Weft.Control.Tests.Discovery;

/// <summary>Several sources in one table, and what becomes of it in the mesh.</summary>
public sealed class NamesTableTests
{
    private const string File = """
        services:
          orders:
            tags: [old]
            protocol: http
            endpoints:
              - 10.9.0.1:80
              - {address: 10.9.0.2, port: 81, weight: 5, tags: [big]}
          printer:
            endpoints: [printer.example.com:631]
        """;

    [Fact]
    public async Task Kubernetes_wins_over_the_registry_and_the_registry_over_the_file()
    {
        await using var host = await RegistryHost.StartAsync();
        var (file, _, errors) = ServicesFile.Parse(File, "services.yaml", ManualTime.Start);
        Assert.Empty(errors);
        await ProjectAsync(NameSource.File, file["orders"]);
        Assert.Equal(["10.9.0.1:80", "10.9.0.2:81"], await AddressesAsync());
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "a", "Address": "10.1.2.3", "Port": 8080}""");
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "b", "Address": "10.1.2.4", "Port": 8080}""");
        Assert.Equal(["10.1.2.3:8080", "10.1.2.4:8080"], await AddressesAsync());
        var slice = new EndpointSlice
        {
            Metadata = new() { Name = "orders-1", Namespace = "default", CreationTimestamp = ManualTime.Start }, AddressType = "IPv4", Ports = [new() { Port = 8080 }, new() { Name = "admin", Port = 9000 }],
            Endpoints = [new() { Addresses = ["10.244.0.7"], NodeName = "n1", TargetRef = new() { Kind = "Pod", Name = "orders-abc" } }, new() { Addresses = ["10.244.0.8"], Conditions = new() { Ready = false } }],
        };
        await ProjectAsync(NameSource.Kubernetes, new("Service default/orders", [.. KubernetesNames.Read(slice, "orders")]));
        Assert.Equal(["10.244.0.7:8080"], await AddressesAsync());
        Assert.Equal("Service default/orders", (await host.Http.PutAsync("agent/service/register", new StringContent("""{"Name": "orders", "ID": "a", "Address": "10.1.2.3", "Port": 8080}"""))).Headers.GetValues("X-Weft-Shadowed-By").Single());
        var table = await host.GetAsync("weft/names/orders");
        Assert.Equal("kubernetes", (string?)table["source"]);
        Assert.Equal(["kubernetes passing", "kubernetes critical", "registry passing", "registry passing", "file passing", "file passing"], table["entries"]!.AsArray().Select(entry => $"{entry!["source"]} {entry["health"]}"));
        Assert.Equal(["registry: registered", "file: services.yaml:2"], table["shadowed"]!.AsArray().Select(text => (string?)text));
        // A Service without endpoints has its name all the same: nobody may take it while it is being rolled out.
        await ProjectAsync(NameSource.Kubernetes, new("Service default/orders", []));
        Assert.Empty(await AddressesAsync());
        await ProjectAsync(NameSource.Kubernetes, null);
        Assert.Equal(["10.1.2.3:8080", "10.1.2.4:8080"], await AddressesAsync());

        async Task<IEnumerable<string>> AddressesAsync() => (await host.GetAsync("health/service/orders?passing")).AsArray().Select(entry => $"{entry!["Service"]!["Address"]}:{entry["Service"]!["Port"]}").Order(StringComparer.Ordinal);

        Task ProjectAsync(NameSource source, Projection? projection) => host.Registry.ChangeAsync(draft => { draft.Project(source, "orders", projection); return 0; }, default);
    }

    [Fact]
    public async Task Services_of_a_cluster_are_in_the_table()
    {
        await using var cluster = await Cluster.TestCluster.StartAsync();
        await using var host = await RegistryHost.StartAsync();
        await using var names = await KubernetesNames.StartAsync(host.Registry, cluster.Controllers.Informers, TimeProvider.System, NullLogger.Instance, default);
        await cluster.Client.For<Api.Core.Service>().CreateAsync("default", new() { Metadata = new() { Name = "hand", Namespace = "default" }, Spec = new() { Ports = [new() { Port = 80 }] } }, default);
        await cluster.Client.For<EndpointSlice>().CreateAsync("default", new()
        {
            Metadata = new() { Name = "hand-1", Namespace = "default", Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = "hand" } },
            AddressType = "IPv4", Ports = [new() { Port = 8080 }], Endpoints = [new() { Addresses = ["10.9.9.9"] }],
        }, default);
        await Eventually.TrueAsync(async () => await host.PassingAsync("hand") == 1 && await host.PassingAsync("hand.default") == 1);
        await cluster.Client.For<Api.Core.Service>().DeleteAsync(new("default", "hand"), default);
        await Eventually.TrueAsync(async () => await host.PassingAsync("hand") == 0);
    }

    [Fact]
    public void A_bad_file_is_refused_with_every_error_by_its_line()
    {
        var (names, _, errors) = ServicesFile.Parse(
            """
            services:
              orders:
                endpoints:
                  - 10.9.0.1
                  - {address: 0.0.0.0, port: 99999, colour: red}
              a/b:
                tags: v1
            other: 1
            """, "services.yaml", ManualTime.Start);
        Assert.Empty(names);
        Assert.Equal(
            [
                "line 4: services.orders.endpoints[0] is '10.9.0.1'; write ADDRESS:PORT, or address, port, weight and tags",
                "line 5: services.orders.endpoints[1].port is no number from 1 to 65535",
                "line 5: services.orders.endpoints[1].colour is not known; address, port, weight, tags",
                "line 5: services.orders.endpoints[1] Invalid address: '0.0.0.0' is no address that somebody can connect to",
                "line 6: services.a/b Invalid service name 'a/b': up to 256 letters, digits, '-', '_' and '.'",
                "line 6: services.a/b.endpoints is missing; write a list, [] for a name without any, or dns",
                "line 7: services.a/b.tags is no list",
                "line 8: other is not known; services",
            ],
            errors.Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("services: [", "is not YAML")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper than 16 levels")]
    [InlineData("services: {}\n---\nservices: {}", "there is a second document")]
    public void What_is_no_services_file_is_said(string text, string why) => Assert.Contains(why, ServicesFile.Parse(text, "f", ManualTime.Start).Errors[0].ToString(), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_is_followed_and_a_bad_one_leaves_what_was()
    {
        using var dir = new TempDir();
        await using var host = await RegistryHost.StartAsync();
        System.IO.File.WriteAllText(dir.File("s.yaml"), File);
        await using var dns = new DnsServices(host.Registry, _ => throw new InvalidOperationException("no name is asked for"), [], TimeProvider.System, Seeded.Random(1), NullLogger.Instance);
        await using var loop = await ServicesFileLoop.StartAsync(host.Registry, dns, dir.File("s.yaml"), TimeProvider.System, NullLogger.Instance, default);
        Assert.Equal(2, await host.PassingAsync("orders"));
        Assert.Equal(1, await host.PassingAsync("printer"));
        System.IO.File.WriteAllText(dir.File("s.yaml"), "services: {orders: {}}");
        await Eventually.TrueAsync(() => loop.Errors.Count == 1);
        Assert.Equal(2, await host.PassingAsync("orders"));
        System.IO.File.WriteAllText(dir.File("s.yaml"), "services: {orders: {endpoints: [\"10.9.0.9:1\"]}}");
        // The table has it first, and a file that was read while it was written is read again.
        await Eventually.TrueAsync(async () => await host.PassingAsync("orders") == 1 && await host.PassingAsync("printer") == 0 && loop.Errors.Count == 0);
    }

    [Fact]
    public async Task A_name_is_a_host_of_the_mesh_with_those_who_pass_and_rules_apply_to_it()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "a", "Address": "192.0.2.3", "Port": 8080, "Meta": {"version": "v1", "protocol": "http"}, "Weights": {"Passing": 3}}""");
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "b", "Address": "192.0.2.4", "Port": 8081, "Meta": {"version": "v2"}}""");
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "c", "Address": "192.0.2.5", "Port": 8081, "Check": {"TTL": "1h"}}""");
        await host.PutAsync("agent/service/register", """{"Name": "Not_A_Host", "Address": "192.0.2.9", "Port": 1}""");
        var hosts = new RegistryHosts("istio-system");
        var entries = hosts.Of(host.Registry.Current);
        var entry = Assert.Single(entries);
        Assert.Equal("orders.service.consul", Assert.Single(entry.Spec.Hosts));

        var snapshot = MeshCompiler.Compile(new MeshInputs
        {
            ServiceEntries = entries,
            DestinationRules =
            [
                new DestinationRule
                {
                    Metadata = new() { Name = "orders", Namespace = "istio-system" },
                    Spec = new() { Host = "orders.service.consul", Subsets = [new() { Name = "v2", Labels = new Dictionary<string, string> { ["version"] = "v2" } }] },
                },
            ],
        });
        Assert.Empty(snapshot.Diagnostics);
        var backends = (BackendsUnit)UnitCodec.Read(snapshot.Units.Single(unit => unit.Key.Kind == UnitKind.Backends));
        // Each port of the host leads to each instance's own.
        foreach (var port in new[] { 80, 8080, 8081 })
            Assert.Equal(["192.0.2.3:8080 x3", "192.0.2.4:8081 x1"], backends.Ports.Single(p => p.Port == port).Endpoints.Select(endpoint => $"{endpoint.Address}:{endpoint.Port} x{endpoint.Weight}"));
        Assert.Contains(snapshot.Units, unit => unit.Key.Kind == UnitKind.Cluster && unit.Key.Name.EndsWith("/v2", StringComparison.Ordinal));

        // Whoever may register says where instances are, and no tenant may: a process of the machine is the node's own.
        Assert.Equal((false, "*"), Keys(snapshot));
        // What anybody writes is an entry of their own, whatever it says of itself.
        var copy = entry with { Metadata = entry.Metadata with { Name = "copy", Uid = "7d444840-9dc0-11d1-b245-5ffdce74fad2" } };
        Assert.Equal((true, "*"), Keys(MeshCompiler.Compile(new MeshInputs { ServiceEntries = [copy] })));

        // What is not about the name gives the same object: the compiler does nothing again for it.
        await host.PutAsync("agent/service/register", """{"Name": "other", "Address": "192.0.2.9", "Port": 1}""");
        Assert.Same(entry, hosts.Of(host.Registry.Current)[0]);
        await host.PutAsync("agent/check/pass/service:c");
        Assert.Equal(3, hosts.Of(host.Registry.Current)[0].Spec.Endpoints.Count);

        static (bool Declared, string Namespaces) Keys(MeshSnapshot of) => UnitCodec.Read(of.Units.Single(unit => unit.Key.Kind == UnitKind.Destination)) is DestinationUnit host ? (host.Declared, string.Join(',', host.Namespaces)) : default;
    }

    /// <summary>They are bounded where they come from; objects of the cluster are no such entries, whatever label they have.</summary>
    [Fact]
    public void A_name_has_all_of_its_instances_in_the_mesh()
    {
        const int Many = 10_000;
        var entries = Enumerable.Range(0, Many).Select(i => new Entry(new(), new() { Name = "orders", Id = $"{i}", Address = $"192.{i >> 16}.{(i >> 8) & 255}.{i & 255}", Port = 8080, Source = NameSource.File }, []));
        var entry = new RegistryHosts("istio-system").Compile("orders", entries)!;
        Assert.Equal([Many, Many], Endpoints(entry));
        Assert.Equal([4096, 4096], Endpoints(entry with { Metadata = entry.Metadata with { Uid = "7d444840-9dc0-11d1-b245-5ffdce74fad2" } }));

        static IEnumerable<int> Endpoints(ServiceEntry entry)
        {
            var snapshot = MeshCompiler.Compile(new MeshInputs { ServiceEntries = [entry] });
            return ((BackendsUnit)UnitCodec.Read(snapshot.Units.Single(unit => unit.Key.Kind == UnitKind.Backends))).Ports.Select(port => port.Endpoints.Count);
        }
    }
}
