using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Configuration;
using Weft.Control.Discovery.Outputs;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Server;
using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>From a registration over HTTP to the answer that dig gets: registry, units, hub, name table, DNS server.</summary>
public sealed class RegistryZoneTests
{
    [Fact]
    public async Task Dig_finds_what_passes()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "a", "Address": "10.1.2.3", "Port": 8080, "Tags": ["v1"], "Weights": {"Passing": 3}}""");
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "b", "Address": "10.1.2.4", "Port": 8081, "Tags": ["v2"]}""");
        await host.PutAsync("agent/service/register", """{"Name": "orders", "ID": "c", "Address": "10.1.2.5", "Check": {"TTL": "1h"}}""");
        await host.PutAsync("agent/service/register", """{"Name": "local", "Port": 9000}""");
        await host.PutAsync("catalog/register", """{"Node": "far", "Address": "db.example.com", "Service": {"Service": "db", "Port": 5432}}""");
        await using var dns = Dns.Start(host);

        Assert.Equal(["10.1.2.3", "10.1.2.4"], await dns.DigAsync("orders.service.consul", "A"));
        Assert.Equal(["10.1.2.3", "10.1.2.4"], await dns.DigAsync("ORDERS.service.dc1.consul", "A", "+tcp"));
        Assert.Equal(["10.1.2.4"], await dns.DigAsync("v2.orders.service.consul", "A"));
        Assert.Equal(["0 1 8081 0a010204.addr.consul.", "0 3 8080 0a010203.addr.consul."], await dns.DigAsync("orders.service.consul", "SRV"));
        Assert.Equal(["0 3 8080 0a010203.addr.consul."], await dns.DigAsync("_orders._v1.service.consul", "SRV"));
        Assert.Equal(2, (await dns.DigAsync("_orders._tcp.service.consul", "SRV")).Count);
        Assert.Equal(["10.1.2.3"], await dns.DigAsync("0a010203.addr.consul", "A"));
        Assert.Equal(["0 1 9000 node-1.node.consul."], await dns.DigAsync("local.service.consul", "SRV"));
        Assert.Equal(["10.0.0.1"], await dns.DigAsync("node-1.node.consul", "A"));
        Assert.Equal(["db.example.com."], await dns.DigAsync("db.service.consul", "CNAME"));
        Assert.Equal("NXDOMAIN", await dns.StatusAsync("nobody.service.consul"));
        Assert.Equal("NXDOMAIN", await dns.StatusAsync("v9.orders.service.consul"));
        Assert.Equal("NXDOMAIN", await dns.StatusAsync("x.y.orders.service.consul"));
        Assert.Equal("NOERROR", await dns.StatusAsync("service.consul"));

        await host.PutAsync("agent/check/pass/service:c");
        await host.PutAsync("agent/service/maintenance/a?enable=true");
        await Eventually.TrueAsync(async () => (await dns.DigAsync("orders.service.consul", "A")).SequenceEqual(["10.1.2.4", "10.1.2.5"]));
        await host.PutAsync("catalog/deregister", """{"Node": "far"}""");
        await Eventually.TrueAsync(async () => await dns.StatusAsync("db.service.consul") == "NXDOMAIN");
    }

    private sealed class Dns : IAsyncDisposable
    {
        private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly TempDir _dir = new();
        private readonly ConfigHub _hub = new(1);
        private readonly RegistryNames _names;
        private readonly ConfigSubscription _subscription;
        private readonly DnsServer _server;
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _following;

        private Dns(RegistryHost host)
        {
            _tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _tcp.Listen(16);
            _udp.Bind(_tcp.LocalEndPoint!);
            File.WriteAllText(_dir.File("resolv.conf"), "");
            _server = new(_udp, _tcp, "cluster.local", new ResolverFiles(_dir.File("resolv.conf"), _dir.File("none")), TimeProvider.System, NullLoggerFactory.Instance);
            _hub.Publish(UnitCodec.Zone("cluster.local", new ZoneUnit { Servers = ["127.0.0.1"] }));
            _names = new(host.Registry, _hub, ["127.0.0.1"]);
            _subscription = _hub.Subscribe("test", new Dictionary<UnitKey, UnitHash>());
            Take();
            _server.Start();
            _following = FollowAsync();
        }

        public static Dns Start(RegistryHost host)
        {
            for (var tries = 0; ; tries++)
            {
                try
                {
                    return new(host);
                }
                catch (SocketException) when (tries < 100)
                {
                    // The port that is free for TCP may be taken for UDP.
                }
            }
        }

        public async Task<IReadOnlyList<string>> DigAsync(string name, string type, string how = "+notcp") =>
            [.. (await RunAsync(name, type, "+short", how)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

        public async Task<string> StatusAsync(string name)
        {
            var said = await RunAsync(name, "A", "+noall", "+comments");
            var at = said.IndexOf("status: ", StringComparison.Ordinal) + 8;
            return said[at..said.IndexOf(',', at)];
        }

        private async Task<string> RunAsync(params string[] arguments)
        {
            using var dig = Process.Start(new ProcessStartInfo("dig", ["@127.0.0.1", "-p", $"{((IPEndPoint)_udp.LocalEndPoint!).Port}", .. arguments]) { RedirectStandardOutput = true })!;
            return await Eventually.EndsAsync(dig.StandardOutput.ReadToEndAsync());
        }

        private async Task FollowAsync()
        {
            while (true)
            {
                await _subscription.WaitAsync(_stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (_stopping.IsCancellationRequested)
                    return;
                Take();
            }
        }

        private void Take()
        {
            foreach (var delta in _subscription.Take())
                _server.Apply([.. delta.Upserts.Select(unit => KeyValuePair.Create(unit.Key, (object?)UnitCodec.Read(unit))), .. delta.Removes.Select(key => KeyValuePair.Create(key, (object?)null))]);
        }

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _following;
            _names.Dispose();
            _subscription.Dispose();
            await _server.DisposeAsync();
            _udp.Dispose();
            _tcp.Dispose();
            _dir.Dispose();
            _stopping.Dispose();
        }
    }
}
