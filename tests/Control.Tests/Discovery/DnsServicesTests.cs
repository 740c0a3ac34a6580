using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Discovery.Dns;
using Weft.Control.Discovery.Files;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Outputs;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Wire;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream.Discovery;
using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>DNS as a source of the table: a server on loopback, the proxy's own way of asking, the registry's API.</summary>
public sealed class DnsServicesTests : IAsyncLifetime
{
    private readonly NameServer _server = new();
    private readonly TempDir _dir = new();
    private RegistryHost _host = null!;
    private DnsServices _dns = null!;
    private ServicesFileLoop? _file;

    public async ValueTask InitializeAsync()
    {
        _host = await RegistryHost.StartAsync();
        _dns = new DnsServices(_host.Registry, question => new NameResolver(question, TimeProvider.System, asksServers: true).ResolveAsync, [IPNetwork.Parse("10.244.0.0/16")], TimeProvider.System, Seeded.Random(1), NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        if (_file is not null)
            await _file.DisposeAsync();
        await _dns.DisposeAsync();
        await _host.DisposeAsync();
        _server.Dispose();
        _dir.Dispose();
    }

    private async Task FileAsync(string services)
    {
        await File.WriteAllTextAsync(_dir.File("s.yaml"), services.Replace("SERVER", $"'{_server.Address}'", StringComparison.Ordinal));
        _file ??= await ServicesFileLoop.StartAsync(_host.Registry, _dns, _dir.File("s.yaml"), TimeProvider.System, NullLogger.Instance, default);
    }

    /// <summary>`address:port xWEIGHT pPRIORITY health`.</summary>
    private async Task<List<string>> EntriesAsync(string name)
    {
        var (status, text, _) = await _host.AskAsync("GET", $"weft/names/{name}");
        return status != 200 ? [] : [.. System.Text.Json.Nodes.JsonNode.Parse(text)!["entries"]!.AsArray().Select(one => $"{one!["source"]} {one["address"]}:{one["port"]} p{one["priority"]} {one["health"]}")];
    }

    private Task BecomesAsync(string name, params string[] entries) => Eventually.TrueAsync(async () => (await EntriesAsync(name)).SequenceEqual(entries), $"{name} is {string.Join(", ", entries)}");

    [Fact]
    public async Task Srv_records_are_instances_with_their_ports_weights_and_priorities_and_changes_come_when_their_time_is_over()
    {
        _server.Services("_orders._tcp.example.com", 1, (10, 3, 8080, "a.example.com"), (10, 1, 8081, "b.example.com"), (20, 5, 9090, "c.example.com"));
        _server.Addresses("a.example.com", 60, "192.0.2.1");
        _server.Addresses("b.example.com", 60, "192.0.2.2");
        _server.Addresses("c.example.com", 60, "192.0.2.3");
        await FileAsync("services: {orders: {protocol: http, dns: {srv: _orders._tcp.example.com, servers: [SERVER]}}}");
        await BecomesAsync("orders", "dns 192.0.2.1:8080 p0 passing", "dns 192.0.2.2:8081 p0 passing", "dns 192.0.2.3:9090 p1 passing");

        // In the mesh a level is a priority; who asks the registry for what he may use gets the first one.
        var units = MeshCompiler.Compile(new MeshInputs { ServiceEntries = new RegistryHosts("istio-system").Of(_host.Registry.Current) });
        Assert.Empty(units.Diagnostics);
        var backends = (BackendsUnit)UnitCodec.Read(units.Units.Single(unit => unit.Key.Kind == UnitKind.Backends));
        Assert.Equal(["192.0.2.1:8080 x3 p0", "192.0.2.2:8081 x1 p0", "192.0.2.3:9090 x5 p1"], backends.Ports.Single(port => port.Port == 80).Endpoints.Select(one => $"{one.Address}:{one.Port} x{one.Weight} p{one.Priority}"));
        Assert.Equal(2, await _host.PassingAsync("orders"));
        var registered = (RegisteredUnit)UnitCodec.Read(RegistryUnits.Compile(_host.Registry.Current, "orders")!);
        Assert.Equal([0, 0, 1], registered.Places.Select(place => place.Priority));

        _server.Services("_orders._tcp.example.com", 1, (10, 1, 8080, "b.example.com"));
        await BecomesAsync("orders", "dns 192.0.2.2:8080 p0 passing");
        _server.Services("_orders._tcp.example.com", 1);
        await BecomesAsync("orders");
        Assert.Equal("dns", (string?)(await _host.GetAsync("weft/names/orders"))["source"]);
    }

    [Fact]
    public async Task While_dns_does_not_answer_its_last_answer_is_used_for_as_long_as_the_file_says()
    {
        _server.Addresses("db.example.com", 1, "192.0.2.7");
        await FileAsync("services: {db: {dns: {name: db.example.com, port: 5432, servers: [SERVER], keep: 4s}}}");
        await BecomesAsync("db", "dns 192.0.2.7:5432 p0 passing");
        _server.Failing = Rcode.ServFail;
        await Eventually.TrueAsync(async () => (string?)(await _host.GetAsync("weft/names/db"))["trouble"] is { } why && why.Contains("code 2", StringComparison.Ordinal));
        Assert.Equal(["dns 192.0.2.7:5432 p0 passing"], await EntriesAsync("db"));
        Assert.StartsWith("not answered since ", (string?)(await _host.GetAsync("health/service/db"))[0]!["Checks"]![0]!["Output"], StringComparison.Ordinal);
        // Another line before it, and the name is asked for anew: what is known is still known.
        await FileAsync("services:\n  other: {endpoints: []}\n  db: {dns: {name: db.example.com, port: 5432, servers: [SERVER], keep: 4s}}");
        await Eventually.TrueAsync(async () => (string?)(await _host.GetAsync("weft/names/db"))["entries"]![0]!["origin"] == "s.yaml:3");
        Assert.Equal(["dns 192.0.2.7:5432 p0 passing"], await EntriesAsync("db"));

        await BecomesAsync("db", "dns 192.0.2.7:5432 p0 critical");
        Assert.Equal(0, await _host.PassingAsync("db"));
        _server.Failing = Rcode.NoError;
        await BecomesAsync("db", "dns 192.0.2.7:5432 p0 passing");
        Assert.Null((await _host.GetAsync("weft/names/db"))["trouble"]);
    }

    [Fact]
    public async Task A_registration_has_the_name_before_dns_and_a_service_that_leaves_the_file_is_gone()
    {
        _server.Addresses("db.example.com", 60, "192.0.2.7");
        await FileAsync("services: {db: {dns: {name: db.example.com, port: 5432, servers: [SERVER]}}}");
        await BecomesAsync("db", "dns 192.0.2.7:5432 p0 passing");
        await _host.PutAsync("agent/service/register", """{"Name": "db", "Address": "10.1.2.3", "Port": 5432}""");
        Assert.Equal("registry", (string?)(await _host.GetAsync("weft/names/db"))["source"]);
        await _host.PutAsync("agent/service/deregister/db");
        Assert.Equal("dns", (string?)(await _host.GetAsync("weft/names/db"))["source"]);
        await FileAsync("services: {}");
        await Eventually.TrueAsync(async () => (await _host.AskAsync("GET", "weft/names/db")).Status == 404);
    }

    // Nothing was ever answered: the name is held, and says why it has nobody.
    [Fact]
    public async Task A_name_that_dns_never_answered_for_says_why_it_is_empty()
    {
        _server.Failing = Rcode.Refused;
        await FileAsync("services: {db: {dns: {name: db.example.com, port: 5432, servers: [SERVER]}}}");
        await Eventually.TrueAsync(async () => (await _host.AskAsync("GET", "weft/names/db")).Status == 200);
        var name = await _host.GetAsync("weft/names/db");
        Assert.Equal("dns", (string?)name["source"]);
        Assert.Empty(name["entries"]!.AsArray());
        Assert.Contains("code 5", (string?)name["trouble"], StringComparison.Ordinal);
    }

    // Who owns the zone could lead every client to its own machine, to a cloud's metadata, or to what a node keeps for itself at its own address in the cluster.
    [Fact]
    public async Task Addresses_that_no_foreign_name_may_lead_to_are_left_out_and_that_is_told()
    {
        _server.Addresses("db.example.com", 60, "127.0.0.1", "169.254.169.254", "10.244.0.1", "192.0.2.7");
        await FileAsync("services: {db: {dns: {name: db.example.com, port: 5432, servers: [SERVER]}}}");
        await BecomesAsync("db", "dns 192.0.2.7:5432 p0 passing");
        Assert.Contains("answers 127.0.0.1, which no name may lead to", (string?)(await _host.GetAsync("weft/names/db"))["trouble"], StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_about_dns_is_said_with_its_line()
    {
        var errors = ServicesFile.Parse(
            """
            services:
              a: {dns: {srv: _a._tcp.example.com, name: a.example.com}}
              b: {dns: {name: b.example.com}}
              c: {dns: {srv: _c._tcp.example.com, port: 80}}
              d: {dns: {srv: "a b", servers: [dns.example.com], keep: 100000h}}
              e: {endpoints: [], dns: {srv: _e._tcp.example.com}}
            """, "s.yaml", ManualTime.Start).Errors;
        Assert.Equal(
            [
                "line 2: services.a.dns needs srv, the name of SRV records, or name, that of addresses, and not both",
                "line 3: services.b.dns.port is missing: addresses say none",
                "line 4: services.c.dns.port has no effect: SRV records say it",
                "line 5: services.d.dns.srv is 'a b'; a whole name such as _orders._tcp.example.com",
                "line 5: services.d.dns.servers[0] is 'dns.example.com'; the address of a server, 10.0.0.53 or 10.0.0.53:5353",
                "line 5: services.d.dns.keep is no duration from 1s to 168h",
                "line 6: services.e.dns stands beside endpoints; keep one",
            ],
            errors.Select(error => error.ToString()));
    }
}
