using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>
/// A client and a server in networks of their own, and the proxy on the way between them: it takes connections that were meant for the server (TPROXY), and the server sees the
/// client's own address.
/// </summary>
public sealed class TransparentTests : IAsyncDisposable
{
    // What comes for the server is given to the proxy, and so is what comes back to the addresses that it has borrowed.
    private const string Rules = """
        table ip weft {
          chain take {
            type filter hook prerouting priority mangle; policy accept;
            meta l4proto tcp socket transparent 1 meta mark set 1 accept
            iifname "client" tcp dport 8080 tproxy to :15001 meta mark set 1 accept
            iifname "client" tcp dport 8081 tproxy to :15002 meta mark set 1 accept
          }
        }
        """;
    private readonly NetworkNamespace _client = new(), _proxy = new(), _server = new();
    private readonly List<Socket> _listeners = [];
    private readonly ProxyEngine _engine;

    public TransparentTests()
    {
        _proxy.Connect(_client, "client", "10.9.1.1/24", "proxy", "10.9.1.2/24");
        _proxy.Connect(_server, "server", "10.9.2.1/24", "proxy", "10.9.2.2/24");
        _client.Command("ip address add 10.9.1.3/24 dev proxy");
        _client.Command("ip route add default via 10.9.1.1");
        _server.Command("ip route add default via 10.9.2.1");
        _server.Command("ip address add 10.9.2.3/24 dev proxy");
        _proxy.Command("ip rule add fwmark 1 lookup 100");
        _proxy.Command("ip route add local 0.0.0.0/0 dev lo table 100");
        _proxy.Command("nft -f -", Rules);
        _listeners.AddRange([Serve("10.9.2.2", 8080), Serve("10.9.2.2", 8081)]);
        _engine = _proxy.Inside(() => new ProxyEngine(loops: 2, accessLog: null, TimeProvider.System, new Random(7), NullLoggerFactory.Instance));
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _listeners.ForEach(listener => listener.Dispose());
        foreach (var network in new[] { _client, _proxy, _server })
            network.Dispose();
    }

    [Fact]
    public void Requests_meant_for_a_server_reach_it_through_the_proxy_with_the_clients_own_address()
    {
        Apply();
        using var one = Connect("10.9.1.2", "10.9.2.2", 8080);
        using var two = Connect("10.9.1.3", "10.9.2.2", 8080);
        for (var i = 0; i < 5; i++)
        {
            // Both are kept open on both sides, and a connection serves the client alone whose address it has.
            Assert.EndsWith("\r\n\r\n10.9.1.2", EngineBed.Ask(one, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\n10.9.1.3", EngineBed.Ask(two, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
        }
    }

    /// <summary>A rule for the server's address takes the connection; there is none for the other address, though both end at the same socket.</summary>
    [Fact]
    public void Connections_are_routed_by_the_address_that_they_were_meant_for()
    {
        Apply();
        using var good = Connect("10.9.1.3", "10.9.2.2", 8081);
        Assert.EndsWith("\r\n\r\n10.9.1.3", EngineBed.Ask(good, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StringComparison.Ordinal);
        // Before the client has looked, maybe.
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() =>
        {
            using var other = Connect("10.9.1.3", "10.9.2.3", 8081);
            other.Receive(new byte[1]);
        }).SocketErrorCode);
    }

    private void Apply()
    {
        ClusterConfig Cluster(string name, int port) => new() { Name = name, PreserveSource = true, Endpoints = [new EndpointConfig { Address = "10.9.2.2", Port = port }] };
        var http = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "http" }] })], Cluster("http", 8080), Cluster("tcp", 8081));
        var config = http with
        {
            Listeners =
            [
                http.Listeners[0] with { Address = "0.0.0.0", Port = 15001, Transparent = true },
                new ListenerConfig
                {
                    Name = "tcp",
                    Port = 15002,
                    Kind = ListenerKind.Tcp,
                    Transparent = true,
                    ConnectionRoutes = [new ConnectionRoute { DestinationRanges = ["10.9.2.2/32"], Ports = [8081], Clusters = [new() { Cluster = "tcp" }] }],
                },
            ],
        };
        _proxy.Inside(() =>
        {
            _engine.ApplyAsync(config).GetAwaiter().GetResult();
            return 0;
        });
    }

    private Socket Connect(string from, string to, int port) => _client.Inside(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(IPAddress.Parse(to), port);
        return socket;
    });

    // Answers each request with the address that it came from.
    private Socket Serve(string address, int port)
    {
        var listener = _server.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
            socket.Listen();
            return socket;
        });
        _ = AcceptAsync();
        return listener;

        async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _ = AnswerAsync(await listener.AcceptAsync());
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                // the end
            }
        }
    }

    private static async Task AnswerAsync(Socket connection)
    {
        using var own = connection;
        var body = ((IPEndPoint)connection.RemoteEndPoint!).Address.ToString();
        var buffer = new byte[4096];
        try
        {
            while (await connection.ReceiveAsync(buffer) > 0)
                await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-length: {body.Length}\r\n\r\n{body}"));
        }
        catch (SocketException)
        {
            // the other side
        }
    }
}
