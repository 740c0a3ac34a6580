using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Proxy.Mesh;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Support;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>
/// A mesh on loopback: pods are addresses of 127.1.0.0/16, hosts addresses of 127.2.0.0/16 that nobody has, 127.9.0.0/16 is outside. A client connects to the bed, and what it meant is said beside the socket,
/// as the kernel says it of captured ones.
/// </summary>
internal sealed class MeshBed : IAsyncDisposable
{
    public const string Node = "one";
    private readonly Dictionary<UnitKey, ConfigUnit> _units = [];
    private readonly ConfigState _state;
    private ulong _version;

    public MeshBed(IMeshConnector? connector = null, IPAddress? door = null, ILocalWorkloads? local = null, ILoggerFactory? loggers = null, Socket? inspection = null, Inheritance? inherited = null, string? ranges = null, string? own = null, string? pool = null)
    {
        var options = new MeshProxyOptions
        {
            Node = Node, Loops = 2, Mark = 0x1000, AccessLog = Access, DoorAddress = door, Inspection = inspection, Inherited = inherited,
            ClusterRanges = ranges is null ? [] : [IPNetwork.Parse(ranges)], IsOwnAddress = own is null ? null : own.Split(',').Select(IPAddress.Parse).ToHashSet().Contains,
            BalancerPool = pool is null ? null : IPNetwork.Parse(pool),
            LoopbackPods = [IPNetwork.Parse("127.1.0.0/16"), IPNetwork.Parse("127.2.0.0/16"), IPNetwork.Parse("127.9.0.0/16")],
        };
        Proxy = new MeshProxy(options, local, connector, TimeProvider.System, new Random(7), loggers ?? NullLoggerFactory.Instance);
        _state = new ConfigState(_ => { }, Proxy);
    }

    public MeshProxy Proxy { get; }

    public MemoryStream Access { get; } = new();

    public async ValueTask DisposeAsync() => await Proxy.DisposeAsync();

    /// <summary>One step; what was rejected of it.</summary>
    public IReadOnlyList<Rejection> Apply(params ConfigUnit[] units) => _state.Apply([new Delta(1, ++_version, [.. units], [], false)]).Rejected;

    public IReadOnlyList<Rejection> Remove(params UnitKey[] keys) => _state.Apply([new Delta(1, ++_version, [], [.. keys], false)]).Rejected;

    public ConfigState State => _state;

    /// <summary>A connection of a pod to an address, as if it had been captured.</summary>
    public Socket Dial(string pod, string address, int port) => Hand(pod, fd =>
        Proxy.Loops[0].Outbound.Accept(fd.Fd, fd.Peer, new IPEndPoint(IPAddress.Parse(address), port)));

    /// <summary>A connection to a pod, as it comes in plaintext (no identity) or from another node.</summary>
    public Socket DialInbound(string source, string pod, int port, string? identity = null) => Hand(source, fd =>
        Proxy.Loops[0].Inbound.Accept(fd.Fd, fd.Peer, new IPEndPoint(IPAddress.Parse(pod), port), identity));

    /// <summary>A request on a connection of its own: the status and the body.</summary>
    public (int Status, string Body) Get(string pod, string address, int port, string path = "/", string headers = "")
    {
        using var socket = Dial(pod, address, port);
        return Get(socket, path, headers);
    }

    public static (int Status, string Body) Get(Socket socket, string path = "/", string headers = "")
    {
        var answer = EngineBed.Ask(socket, $"GET {path} HTTP/1.1\r\nHost: any\r\n{headers}\r\n");
        return (int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    /// <summary>Nothing but the end, or a reset, comes.</summary>
    public static void AssertClosed(Socket socket)
    {
        try
        {
            Assert.Equal(0, socket.Receive(new byte[1]));
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            // closed with something unread
        }
    }

    /// <summary>Nothing but a reset comes.</summary>
    public static void AssertReset(Socket socket) => Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => socket.Receive(new byte[1])).SocketErrorCode);

    public static ConfigUnit Workload(string name, string address, string account = "default", string @namespace = "shop", Func<WorkloadUnit, WorkloadUnit>? more = null)
    {
        var unit = new WorkloadUnit { Addresses = [address], Namespace = @namespace, ServiceAccount = account, Identity = $"spiffe://cluster.local/ns/{@namespace}/sa/{account}", Node = Node };
        return UnitCodec.Workload($"{@namespace}/{name}", more?.Invoke(unit) ?? unit);
    }

    /// <summary>A host with one port that all goes to one cluster.</summary>
    public static ConfigUnit[] Host(string name, string address, int port, PortProtocol protocol, params EndpointConfig[] endpoints) =>
    [
        UnitCodec.Destination(name, new DestinationUnit
        {
            Addresses = [address],
            Ports =
            [
                new DestinationPort
                {
                    Port = port, Protocol = protocol, Routes = protocol is PortProtocol.Tcp or PortProtocol.Tls ? null : $"{name}:{port}",
                    Connections = [new ConnectionRoute { Clusters = [new WeightedCluster { Cluster = $"{name}:{port}" }] }],
                },
            ],
        }),
        Routes(name, port, new RouteConfig { Name = "default", Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = $"{name}:{port}" }] } }),
        UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = $"{name}:{port}" }, Host = name, Port = port }),
        Backends(name, port, endpoints),
    ];

    public static ConfigUnit Routes(string name, int port, params RouteConfig[] routes) =>
        UnitCodec.Routes(new RouteTableConfig { Name = $"{name}:{port}", Hosts = [new VirtualHostConfig { Name = name, Domains = ["*"], Routes = routes.ToValueList() }] });

    public static ConfigUnit Backends(string name, int port, params EndpointConfig[] endpoints) =>
        UnitCodec.Backends($"slice/shop/{name}", new BackendsUnit { Host = name, Ports = [new BackendPort(port, endpoints.ToValueList())] });

    public static EndpointConfig Endpoint(Pod pod, params (string Key, string Value)[] labels) => new()
    {
        Address = pod.Address, Port = pod.Port, Identity = "spiffe://cluster.local/ns/shop/sa/default", Labels = new ValueMap(labels.Select(label => KeyValuePair.Create(label.Key, label.Value))),
    };

    private Socket Hand(string from, Action<(int Fd, IPEndPoint Peer)> accept)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000, NoDelay = true };
        client.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        client.Connect(listener.LocalEndPoint!);
        var accepted = listener.Accept();
        accepted.Blocking = false;
        var peer = (IPEndPoint)accepted.RemoteEndPoint!;
        var fd = Weft.Proxy.Transport.Listener.Detach(accepted);
        Proxy.Loops[0].Loop.PostAsync(() => accept((fd, peer))).GetAwaiter().GetResult();
        return client;
    }
}

/// <summary>A pod's server: answers each request with its own name and what it saw of the client. On an address of its own.</summary>
internal sealed class Pod : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly string _name;
    private readonly string? _greeting;

    /// <param name="greeting">What it says before the client has said anything; null: it speaks HTTP.</param>
    public Pod(string name, string address, string? greeting = null)
    {
        (_name, _greeting, Address) = (name, greeting, address);
        _listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        _listener.Listen(128);
        _ = AcceptAsync();
    }

    public string Address { get; }

    private int _served;

    /// <summary>Connections that came.</summary>
    public int Served => Volatile.Read(ref _served);

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptAsync());
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // the end
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var own = client;
        Interlocked.Increment(ref _served);
        try
        {
            if (_greeting is not null)
                await client.SendAsync(Encoding.ASCII.GetBytes(_greeting));
            var (buffer, seen) = (new byte[64 << 10], "");
            var from = ((IPEndPoint)client.RemoteEndPoint!).Address;
            while (await client.ReceiveAsync(buffer) is var got and > 0)
            {
                seen += Encoding.Latin1.GetString(buffer, 0, got);
                if (_greeting is not null)
                {
                    await client.SendAsync(Encoding.Latin1.GetBytes($"{_name} {from} {seen}"));
                    seen = "";
                    continue;
                }

                for (var end = seen.IndexOf("\r\n\r\n", StringComparison.Ordinal); end >= 0; end = seen.IndexOf("\r\n\r\n", StringComparison.Ordinal))
                {
                    seen = seen[(end + 4)..];
                    var body = $"{_name} {from}";
                    await client.SendAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
                }
            }
        }
        catch (SocketException)
        {
            // the client
        }
    }
}
