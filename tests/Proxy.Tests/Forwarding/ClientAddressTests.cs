using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>Endpoints that are told whose connection it is (PROXY protocol): a connection to them serves one client connection alone.</summary>
public sealed class ClientAddressTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData(ProxyProtocolVersion.V1, HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData(ProxyProtocolVersion.V2, HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData(ProxyProtocolVersion.V2, HttpProtocols.Http2, UpstreamProtocol.Http2)]
    public async Task Endpoints_hear_whose_request_it_is_and_checks_speak_for_the_proxy(ProxyProtocolVersion version, HttpProtocols protocols, UpstreamProtocol protocol)
    {
        var checks = 0;
        var (web, server) = await ProxyFixture.ServeAsync("web", context =>
        {
            if (context.Request.Path == "/healthz")
                Interlocked.Increment(ref checks);
            var client = context.Request.Headers["x-forwarded-for"].ToString();
            context.Response.ContentLength = client.Length;
            return context.Response.WriteAsync(client);
        }, protocols);
        await using var own = server;
        // The endpoint is a proxy that closes whatever does not begin with a PROXY header.
        var inside = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }] })], web with { Protocol = protocol });
        await using var inner = await ProxyFixture.StartAsync(inside with { Listeners = [inside.Listeners[0] with { ProxyProtocol = true }] });
        await using var outer = await ProxyFixture.StartAsync(new ClusterConfig
        {
            Name = "inner",
            ProxyProtocol = version,
            Protocol = protocol,
            Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = inner.Address.Port }],
            HealthChecks = [new HttpHealthCheck { Path = "/healthz", Interval = TimeSpan.FromMilliseconds(50) }],
        });
        using var one = Connect(outer, "127.0.0.7");
        using var two = Connect(outer, "127.0.0.8");
        for (var i = 0; i < 5; i++)
        {
            Assert.EndsWith("\r\n\r\n127.0.0.7", EngineBed.Ask(one, Request), StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\n127.0.0.8", EngineBed.Ask(two, Request), StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(() => Volatile.Read(ref checks) > 2, state: outer.Metrics);
        Assert.Contains("ejection=\"None\"} 1", outer.Metrics(), StringComparison.Ordinal);
    }

    /// <summary>There are as many pools as clients: one whose client has gone, or that never had a connection, must not stay.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_pool_of_a_client_that_has_gone_is_forgotten(bool answers)
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var port = ((IPEndPoint)endpoint.LocalEndpoint).Port;
        if (!answers)
            endpoint.Stop();
        await using var proxy = await ProxyFixture.StartAsync(new ClusterConfig
        {
            Name = "web",
            ProxyProtocol = ProxyProtocolVersion.V1,
            Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = port }],
        });
        var clients = Enumerable.Range(2, 5).Select(i => Connect(proxy, $"127.0.0.{i}")).ToList();
        foreach (var client in clients)
        {
            client.Send(System.Text.Encoding.ASCII.GetBytes(Request));
            if (!answers)
            {
                Assert.Contains(" 503 ", EngineBed.ReadResponse(client), StringComparison.Ordinal);
                continue;
            }

            using var accepted = await Eventually.EndsAsync(endpoint.AcceptSocketAsync(TestContext.Current.CancellationToken).AsTask());
            accepted.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8);
            Assert.Contains(" 200 ", EngineBed.ReadResponse(client), StringComparison.Ordinal);
        }

        clients.ForEach(client => client.Dispose());
        await Eventually.TrueAsync(async () => await proxy.Engine.PoolsAsync() == 0);
    }

    [Fact]
    public async Task The_header_has_the_clients_port_and_stands_once_in_front_of_a_connection()
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var seen = new ConcurrentQueue<string>();
        _ = Task.Run(async () =>
        {
            while (true)
                _ = ServeAsync(await endpoint.AcceptSocketAsync());
        });
        await using var proxy = await ProxyFixture.StartAsync(new ClusterConfig
        {
            Name = "web",
            ProxyProtocol = ProxyProtocolVersion.V1,
            Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = ((IPEndPoint)endpoint.LocalEndpoint).Port }],
            Limits = new PoolLimits { MaxConnections = 2 },
        });

        // More clients than connections: what one of them does not use any more makes room for the next.
        var expected = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            using var client = Connect(proxy, "127.0.0.9");
            for (var n = 0; n < 2; n++)
                Assert.StartsWith("HTTP/1.1 200 ", EngineBed.Ask(client, Request), StringComparison.Ordinal);
            expected.Add($"PROXY TCP4 127.0.0.9 127.0.0.1 {((IPEndPoint)client.LocalEndPoint!).Port} {proxy.Address.Port}");
        }

        Assert.Equal(expected, seen);

        async Task ServeAsync(Socket socket)
        {
            using var stream = new StreamReader(new NetworkStream(socket, ownsSocket: true));
            seen.Enqueue(await stream.ReadLineAsync() ?? "");
            while (await stream.ReadLineAsync() is { } line)
            {
                if (line.Length == 0)
                    await socket.SendAsync("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"u8.ToArray());
            }
        }
    }

    [Fact]
    public async Task What_is_not_done_for_udp_is_refused_and_not_left_out()
    {
        var config = new ProxyConfig
        {
            Listeners = [new ListenerConfig { Name = "dns", Address = "127.0.0.1", Kind = ListenerKind.Udp, DefaultCluster = "dns" }],
            Clusters = [new ClusterConfig { Name = "dns", PreserveSource = true, Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = 53 }] }],
        };
        var refused = await Assert.ThrowsAsync<Weft.Proxy.Runtime.ProxyConfigException>(() => ProxyFixture.StartAsync(config));
        Assert.Contains("cluster dns: preserveSource", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The kernel says of its sockets which timer they have: 2 is that of keep-alive, with the time until it is due.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Both_sides_are_probed_as_the_configuration_says(bool probed)
    {
        using var upstream = new RecordingUpstream();
        TcpKeepAlive Alive(int seconds) => probed ? new TcpKeepAlive { Idle = TimeSpan.FromSeconds(seconds), Interval = TimeSpan.FromSeconds(3), Probes = 2 } : new TcpKeepAlive { Idle = TimeSpan.Zero };
        var config = ProxyFixture.Config(
            [ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }] })],
            new ClusterConfig { Name = "web", Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = upstream.Address.Port }], KeepAlive = Alive(40) });
        await using var proxy = await ProxyFixture.StartAsync(config with { Listeners = [config.Listeners[0] with { KeepAlive = Alive(90) }] });
        using var client = Connect(proxy, "127.0.0.1");
        EngineBed.Ask(client, Request);

        Assert.InRange(Seconds(local: proxy.Address.Port, remote: ((IPEndPoint)client.LocalEndPoint!).Port), probed ? 45 : 0, probed ? 90 : 0);
        Assert.InRange(Seconds(local: null, remote: upstream.Address.Port), probed ? 10 : 0, probed ? 40 : 0);
    }

    private static Socket Connect(ProxyFixture proxy, string from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(proxy.Address);
        return socket;
    }

    // Until the next probe; 0: there will be none. The file's clock has 100 ticks a second.
    private static double Seconds(int? local, int remote)
    {
        var fields = File.ReadLines("/proc/net/tcp").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(fields => fields[3] == "01" && Port(fields[2]) == remote && (local is null || Port(fields[1]) == local));
        var timer = fields[5].Split(':');
        return timer[0] == "02" ? Convert.ToInt64(timer[1], 16) / 100.0 : 0;
    }

    private static int Port(string address) => Convert.ToInt32(address.Split(':')[1], 16);
}
