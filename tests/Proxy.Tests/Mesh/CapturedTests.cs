using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Proxy.Mesh;
using Weft.Proxy.Tests.Support;
using Listener = Weft.Proxy.Transport.Listener;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Connections that the kernel captures (TPROXY), between networks of their own: what is said beside the socket elsewhere, the socket itself says here.</summary>
public sealed class CapturedTests : IAsyncDisposable
{
    private const string Rules = """
        table ip weft {
          chain take {
            type filter hook prerouting priority mangle; policy accept;
            meta l4proto tcp socket transparent 1 meta mark set 1 accept
            iifname "client" ip saddr 10.8.1.9 meta l4proto tcp tproxy to :15006 meta mark set 1 accept
            iifname "client" meta l4proto tcp tproxy to :15001 meta mark set 1 accept
          }
        }
        """;
    private readonly NetworkNamespace _client = new(), _proxy = new(), _server = new();
    private readonly MeshProxy _mesh;
    private readonly Pod _pod;

    public CapturedTests()
    {
        _proxy.Connect(_client, "client", "10.8.1.1/24", "proxy", "10.8.1.2/24");
        _proxy.Connect(_server, "server", "10.8.2.1/24", "proxy", "10.8.2.2/24");
        _client.Command("ip address add 10.8.1.9/24 dev proxy");
        _client.Command("ip route add default via 10.8.1.1");
        _server.Command("ip route add default via 10.8.2.1");
        _proxy.Command("ip rule add fwmark 1 lookup 100");
        _proxy.Command("ip route add local 0.0.0.0/0 dev lo table 100");
        _proxy.Command("nft -f -", Rules);
        _pod = _server.Inside(() => new Pod("pod", "10.8.2.2"));
        _mesh = _proxy.Inside(() =>
        {
            var options = new MeshProxyOptions { Node = MeshBed.Node, Loops = 2, Mark = 0x1000, Outbound = Listen(15001), Inbound = Listen(15006) };
            return MeshProxy.Create(options, TimeProvider.System, new Random(7), NullLoggerFactory.Instance);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _mesh.DisposeAsync();
        _pod.Dispose();
        foreach (var network in new[] { _client, _proxy, _server })
            network.Dispose();
    }

    [Fact]
    public async Task Captured_connections_of_both_sides_reach_the_pod_as_their_clients()
    {
        new ConfigState(_ => { }, _mesh).Apply([new Delta(1, 1, [
            MeshBed.Workload("client", "10.8.1.2"), MeshBed.Workload("pod", "10.8.2.2"),
            .. MeshBed.Host("a.shop.svc.cluster.local", "10.8.9.9", 80, PortProtocol.Http, MeshBed.Endpoint(_pod)),
        ], [], false)]);
        await _mesh.StartAsync();
        Assert.True(_mesh.IsReady);
        foreach (var _ in Enumerable.Range(0, 4))
        {
            using var service = Connect("10.8.1.2", "10.8.9.9", 80);
            Assert.Equal((200, "pod 10.8.1.2"), MeshBed.Get(service));
        }

        using var pod = Connect("10.8.1.2", _pod.Address, _pod.Port);
        Assert.Equal((200, "pod 10.8.1.2"), MeshBed.Get(pod));
        using var plain = Connect("10.8.1.9", _pod.Address, _pod.Port);
        Assert.Equal((200, "pod 10.8.1.9"), MeshBed.Get(plain));

        // A stranger is heard by nobody, and a proxy that drains accepts no more.
        new ConfigState(_ => { }, _mesh).Apply([new Delta(1, 2, [MeshBed.Workload("client", "10.8.1.77")], [], false)]);
        using var stranger = Connect("10.8.1.2", "10.8.9.9", 80);
        MeshBed.AssertClosed(stranger);
        pod.Dispose();
        plain.Dispose();
        await _mesh.DrainAsync(TimeSpan.FromSeconds(5));
        Assert.False(_mesh.IsReady);
    }

    // Blocking, as sockets are that somebody else has made.
    private static List<Socket> Listen(int port) => [.. Enumerable.Range(0, 2).Select(_ =>
    {
        var socket = Listener.Bind(new IPEndPoint(IPAddress.Any, port), transparent: true);
        socket.Blocking = true;
        return socket;
    })];

    private Socket Connect(string from, string to, int port) => _client.Inside(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(IPAddress.Parse(to), port);
        return socket;
    });
}
