using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Runtime;

/// <summary>One engine after the other with the same sockets. The kernel sees no difference to two processes.</summary>
public sealed class HandoverTests
{
    [Theory]
    [InlineData(2, 5)]
    [InlineData(5, 2)]
    public async Task Whatever_waits_in_a_socket_is_answered_by_the_next_engine_with_fewer_or_more_loops(int loops, int then)
    {
        using var keeper = new SocketKeeper();
        var first = Engine(loops, keeper);
        await first.ApplyAsync(Http());
        var address = first.Addresses["main"];
        await first.DisposeAsync();
        // Nobody accepts now, and each goes to one of the sockets by chance.
        var clients = Enumerable.Range(0, 60).Select(_ => new TcpClient()).ToList();
        foreach (var client in clients)
        {
            await client.ConnectAsync(address, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        }

        await using var second = Engine(then, keeper);
        await second.ApplyAsync(Http());

        Assert.Equal(address, second.Addresses["main"]);
        foreach (var client in clients)
        {
            var buffer = new byte[4096];
            var got = await Eventually.EndsAsync(client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask());
            Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(buffer, 0, got), StringComparison.Ordinal);
            client.Dispose();
        }
    }

    [Fact]
    public async Task What_waits_is_answered_by_the_configuration_that_is_taken_when_another_was_refused_before()
    {
        using var keeper = new SocketKeeper();
        var link = new Link(keeper);
        var first = Engine(2, keeper);
        await first.ApplyAsync(Http());
        var address = first.Addresses["main"];
        await first.DisposeAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(address, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var good = Http();
        var busy = good.Listeners[0] with { Name = "busy", Port = ((IPEndPoint)other.LocalEndpoint).Port };

        // More loops than sockets: one is new, and others may have begun to wait in it.
        await using (var refused = Engine(3, link))
            await Assert.ThrowsAsync<ProxyConfigException>(() => refused.ApplyAsync(good with { Listeners = [.. good.Listeners, busy] }));
        await using var second = Engine(1, link);
        await second.ApplyAsync(good);

        Assert.Equal(address, second.Addresses["main"]);
        var buffer = new byte[4096];
        var got = await Eventually.EndsAsync(client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask());
        Assert.StartsWith("HTTP/1.1 200 ", Encoding.ASCII.GetString(buffer, 0, got), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_handover_the_old_engine_accepts_nothing_and_the_new_one_everything()
    {
        using var keeper = new SocketKeeper();
        await using var first = Engine(2, keeper);
        await first.ApplyAsync(Http());
        await using var second = Engine(2, keeper);
        await second.ApplyAsync(Http());

        var draining = first.DrainAsync(TimeSpan.FromSeconds(30), handedOver: true);

        await Eventually.EndsAsync(draining);
        for (var i = 0; i < 50; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(second.Addresses["main"], TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            Assert.True(await Eventually.EndsAsync(client.GetStream().ReadAsync(new byte[4096], TestContext.Current.CancellationToken).AsTask()) > 0);
        }
    }

    [Fact]
    public async Task A_listener_that_goes_leaves_nothing_with_the_keeper()
    {
        using var keeper = new SocketKeeper();
        await using var engine = Engine(2, keeper);
        await engine.ApplyAsync(Http());
        Assert.Single(keeper.Names);
        var address = engine.Addresses["main"];

        await engine.ApplyAsync(ProxyConfig.Empty);

        Assert.Empty(keeper.Names);
        using var client = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(address, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Datagrams_wait_for_the_next_engine_and_answers_to_the_old_ones_still_come()
    {
        using var endpoint = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var keeper = new SocketKeeper();
        var config = new ProxyConfig
        {
            Listeners = [new ListenerConfig { Name = "dns", Address = "127.0.0.1", Kind = ListenerKind.Udp, DefaultCluster = "endpoint" }],
            Clusters = [new ClusterConfig { Name = "endpoint", Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = ((IPEndPoint)endpoint.Client.LocalEndPoint!).Port }] }],
        };
        await using var first = Engine(2, keeper);
        await first.ApplyAsync(config);
        using var client = new UdpClient();
        client.Connect(first.Addresses["dns"]);
        await client.SendAsync("one"u8.ToArray(), TestContext.Current.CancellationToken);
        var one = await ReceiveAsync(endpoint);

        var draining = first.DrainAsync(TimeSpan.FromSeconds(40), handedOver: true);
        // The first may take some until its loops have heard of the end; one that does not arrive waits for the next engine.
        Task<UdpReceiveResult> arriving;
        do
        {
            await client.SendAsync("two"u8.ToArray(), TestContext.Current.CancellationToken);
            arriving = ReceiveAsync(endpoint);
        }
        while (await Task.WhenAny(arriving, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken)) == arriving);
        await using var second = Engine(1, keeper);
        await second.ApplyAsync(config);

        var two = await arriving;
        Assert.Equal("two", Encoding.ASCII.GetString(two.Buffer));
        Assert.NotEqual(one.RemoteEndPoint, two.RemoteEndPoint);
        await endpoint.SendAsync("answer to one"u8.ToArray(), one.RemoteEndPoint, TestContext.Current.CancellationToken);
        Assert.Equal("answer to one", Encoding.ASCII.GetString((await ReceiveAsync(client)).Buffer));
        await endpoint.SendAsync("answer to two"u8.ToArray(), two.RemoteEndPoint, TestContext.Current.CancellationToken);
        Assert.Equal("answer to two", Encoding.ASCII.GetString((await ReceiveAsync(client)).Buffer));
        await Eventually.EndsAsync(draining);
    }

    [Fact]
    public void Keys_of_tickets_are_handed_on_and_bytes_that_are_none_are_not_taken()
    {
        using var keeper = new SocketKeeper();
        var first = Inheritance.Of(keeper, ticketKeys: null);
        var second = Inheritance.Of(keeper, first.ExportTickets());
        Assert.Equal(first.ExportTickets(), second.ExportTickets());
        var renewed = Inheritance.Of(keeper, first.ExportTickets(), renew: true);
        Assert.Equal(first.ExportTickets(), renewed.ExportTickets()[^first.ExportTickets().Length..]);
        Assert.True(renewed.ExportTickets().Length > first.ExportTickets().Length);
        Assert.NotEqual(first.ExportTickets(), Inheritance.Of(keeper, [1, 2, 3]).ExportTickets());
    }

    private static Task<UdpReceiveResult> ReceiveAsync(UdpClient socket) => Eventually.EndsAsync(socket.ReceiveAsync(TestContext.Current.CancellationToken).AsTask());

    private static ProxyEngine Engine(int loops, ISocketKeeper keeper) =>
        new(loops, accessLog: null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, Inheritance.Of(keeper, ticketKeys: null));

    private static ProxyConfig Http() => new()
    {
        Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Port = 0, RouteTable = "all" }],
        RouteTables = [new RouteTableConfig { Name = "all", Hosts = [new VirtualHostConfig { Name = "any", Domains = ["*"], Routes = [new RouteConfig { Name = "all", Action = new DirectResponse { Status = 200 } }] }] }],
    };

    /// <summary>A process's part: it was given each descriptor once.</summary>
    private sealed class Link(SocketKeeper keeper) : ISocketKeeper
    {
        private readonly HashSet<string> _taken = [];
        private readonly Dictionary<string, IReadOnlyList<int>> _back = [];

        public IReadOnlyList<int> Take(string name) => _back.Remove(name, out var back) ? back : _taken.Add(name) ? keeper.Take(name) : [];

        public void GiveBack(string name, IReadOnlyList<int> descriptors) => _back[name] = descriptors;

        public void Keep(string name, IReadOnlyList<int> descriptors) => keeper.Keep(name, descriptors);

        public void Release(string name) => keeper.Release(name);
    }
}
