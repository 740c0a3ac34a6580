using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Downstream;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http;
using Weft.Proxy.Http1;
using Weft.Proxy.Http2;
using Weft.Proxy.Routing;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Tests.Support;

/// <summary>One loop with an acceptor in front of one endpoint: the engine without configuration.</summary>
internal sealed class EngineBed : IDisposable
{
    private readonly Listener _listener;
    private readonly List<Exception> _defects = [];

    public EngineBed(IPEndPoint upstream, Func<AcceptorSettings, AcceptorSettings>? settings = null, PoolOptions? pool = null, Action<Client>? client = null)
    {
        Loop = new("engine", TimeProvider.System, _defects.Add);
        var services = new LoopServices(Loop, 0, 1, new ProxyNames(), TimeProvider.System, (loop, streams) => new OnePool(Pool = new(loop, upstream, pool ?? new(), streams)));
        var state = new HttpListenerState(View(upstream));
        var basic = new AcceptorSettings
        {
            Exchanges = of =>
            {
                client?.Invoke(of);
                return new DownstreamConnection(services, state, new ConnectionFacts { Source = of.Peer!, Destination = of.Destination!, IsTls = of.Tls is not null });
            },
            Http1 = new(Http1Limits.Default, "http"),
            Http2 = new(new Http2Limits(), "http"),
        };
        Acceptor = new(Loop, settings?.Invoke(basic) ?? basic, services.Http2Streams);
        var socket = Listener.Bind(new(IPAddress.Loopback, 0));
        Address = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new(Loop, socket, Acceptor.Accept);
        Loop.Start();
    }

    public EventLoop Loop { get; }

    public EndpointPool Pool { get; private set; } = null!;

    public DownstreamAcceptor Acceptor { get; }

    public IPEndPoint Address { get; }

    /// <summary>Every request goes to the one endpoint; nothing is tried again by policy.</summary>
    private static HttpView View(IPEndPoint upstream)
    {
        var config = new ClusterConfig { Name = "one", Endpoints = [new EndpointConfig { Address = upstream.Address.ToString(), Port = upstream.Port }] };
        var cluster = new Cluster(config, default, loops: 1, start: 0);
        cluster.Configure(config, default, [(config.Endpoints[0], upstream)], 0);
        var listener = new ListenerConfig { Name = "bed", Http = new HttpSettings { AllowConnect = true } };
        var route = new RouteConfig { Name = "all", Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = "one" }], Retry = RetryPolicy.None, Upgrades = ["websocket", "chat"] } };
        var table = new RouteTableConfig { Name = "all", Hosts = [new VirtualHostConfig { Name = "any", Domains = ["*"], Routes = [route] }] };
        return new HttpView(
            listener, 0, RouteTable.Compile(table, listener, new FilterFactory(FilterKinds.WithoutServices)), new EdgeStage(listener.Http),
            new Dictionary<string, Cluster> { ["one"] = cluster }.ToFrozenDictionary(), Tracing: null, Recorded: false, RecordedFraction: 1);
    }

    public Socket Connect()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 20_000 };
        socket.Connect(Address);
        return socket;
    }

    /// <summary>Sends, and reads to the end.</summary>
    public string Talk(string text)
    {
        using var socket = Connect();
        return Talk(socket, text);
    }

    public static string Talk(Socket socket, string text)
    {
        socket.Send(Encoding.Latin1.GetBytes(text));
        return ReadToEnd(socket);
    }

    public static string ReadToEnd(Socket socket)
    {
        var all = new StringBuilder();
        var buffer = new byte[65536];
        try
        {
            while (socket.Receive(buffer) is var got and > 0)
                all.Append(Encoding.Latin1.GetString(buffer, 0, got));
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            all.Append("(reset)");
        }

        return all.ToString();
    }

    /// <summary>Reads one response with a Content-Length.</summary>
    public static string ReadResponse(Socket socket)
    {
        var all = "";
        var buffer = new byte[65536];
        while (true)
        {
            var head = all.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (head >= 4)
            {
                var at = all.IndexOf("content-length: ", StringComparison.Ordinal);
                var length = at < 0 || at > head ? 0 : int.Parse(all[(at + 16)..all.IndexOf('\r', at)], System.Globalization.CultureInfo.InvariantCulture);
                if (all.Length >= head + length)
                    return all;
            }

            var got = socket.Receive(buffer);
            Assert.NotEqual(0, got);
            all += Encoding.Latin1.GetString(buffer, 0, got);
        }
    }

    public static string Ask(Socket socket, string text)
    {
        socket.Send(Encoding.Latin1.GetBytes(text));
        return ReadResponse(socket);
    }

    public void Dispose()
    {
        Loop.Post(_listener.Dispose);
        Loop.Stop();
        Assert.Empty(_defects);
    }

    private sealed class OnePool(EndpointPool pool) : IUpstreams
    {
        public IClientStream? Open(Cluster cluster, UpstreamEndpoint endpoint, bool grpc, IClientStreamHandler handler) => pool.Open(handler);
    }
}
