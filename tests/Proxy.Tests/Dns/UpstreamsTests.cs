using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Server;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Dns;

public sealed class UpstreamsTests : IDisposable
{
    private readonly TempDir _dir = new();

    [Fact]
    public async Task A_changed_file_changes_the_servers_and_says_so()
    {
        var changes = 0;
        var upstreams = new Upstreams(new(_dir.File("resolv.conf"), _dir.File("none")), [], TimeProvider.System, NullLogger.Instance) { Changed = () => changes++ };
        await upstreams.LookAsync(CancellationToken.None);
        Assert.Empty(upstreams.InOrder);

        await File.WriteAllTextAsync(_dir.File("resolv.conf"), "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
        await upstreams.LookAsync(CancellationToken.None);
        Assert.Equal(["192.0.2.1:53", "192.0.2.2:53"], upstreams.InOrder.Select(server => server.ToString()));

        upstreams.Failed(upstreams.InOrder[0]);
        Assert.Equal(["192.0.2.2:53", "192.0.2.1:53"], upstreams.InOrder.Select(server => server.ToString()));

        await File.WriteAllTextAsync(_dir.File("resolv.conf"), "nameserver 192.0.2.3\n");
        await upstreams.LookAsync(CancellationToken.None);
        Assert.Equal(["192.0.2.3:53"], upstreams.InOrder.Select(server => server.ToString()));
        Assert.Equal(1, changes);
    }

    [Fact]
    public async Task Servers_behind_a_stub_are_used_instead_of_it()
    {
        await File.WriteAllTextAsync(_dir.File("resolv.conf"), "nameserver 127.0.0.53\n");
        await File.WriteAllTextAsync(_dir.File("behind"), "nameserver 192.0.2.9\n");
        var upstreams = new Upstreams(new(_dir.File("resolv.conf"), _dir.File("behind")), [], TimeProvider.System, NullLogger.Instance);
        await upstreams.LookAsync(CancellationToken.None);
        Assert.Equal(["192.0.2.9:53"], upstreams.InOrder.Select(server => server.ToString()));
    }

    [Fact]
    public async Task A_server_that_asks_back_is_not_asked()
    {
        // This server on all addresses is its own resolver, by another address than the one it knows.
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Any, 0));
        using var tcp = Sample.BindTcp();
        await File.WriteAllTextAsync(_dir.File("resolv.conf"), "nameserver 127.0.0.1\n");
        using var log = new LogLines();
        await using var server = new DnsServer(udp, tcp, "cluster.local", new(_dir.File("resolv.conf"), _dir.File("none"), ((IPEndPoint)udp.LocalEndPoint!).Port), TimeProvider.System, log);
        server.Start();
        await Eventually.TrueAsync(() => log.Text.Any(line => line.Contains("asks this server", StringComparison.Ordinal)));
        await Eventually.TrueAsync(() => log.Text.Contains("other names are asked of: none"));
    }

    public void Dispose() => _dir.Dispose();
}
