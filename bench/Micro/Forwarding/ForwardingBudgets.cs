using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Bench.Proxy;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;

namespace Weft.Bench.Micro.Forwarding;

/// <summary>A request through the whole engine and its answer, on sockets: routes, header filters, two-choice balancing, metrics and access records on, client and upstream counted with it.</summary>
internal static class ForwardingBudgets
{
    public static IEnumerable<Budget> All =>
    [
        new("forward: HTTP/1.1 request, 100 bytes", 0, 50_000, count => RunAsync(Http1, count)),
        new("forward: HTTP/2 request, 100 bytes", 0, 50_000, count => RunAsync(Http2, count)),
    ];

    private static Rig? _rig;

    private static void Http1(Rig rig, int count) => rig.Http1(count);

    private static void Http2(Rig rig, int count) => rig.Http2(count);

    private static async Task RunAsync(Action<Rig, int> run, int count) => run(_rig ??= await Rig.StartAsync(), count);

    private sealed class Rig(Socket http1, Http2Client http2)
    {
        private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /path?x=1 HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n");

        private readonly byte[] _buffer = new byte[4096];
        private int _response;

        public static async Task<Rig> StartAsync()
        {
            var loop = new EventLoop("upstream", TimeProvider.System, Throw);
            loop.Start();
            var upstream = Free();
            await loop.PostAsync(() => FixedUpstream.Listen(loop, upstream, 100));
            // A bench is repeatable: the only chance in it is this.
#pragma warning disable RS0030
            var engine = new ProxyEngine(loops: 1, Stream.Null, TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
#pragma warning restore RS0030
            await engine.ApplyAsync(Config(upstream));
            var front = engine.Addresses["front"];
            var http1 = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            http1.Connect(front); // ConnectAsync would make it non-blocking, and each wait allocate
            return new Rig(http1, await Http2Client.ConnectAsync(front));
        }

        public void Http2(int count) => http2.Run(count);

        // The bytes of an answer repeat but for its own fields of constant length: the first tells how long all of them are.
        public void Http1(int count)
        {
            for (var i = 0; i < count; i++)
            {
                http1.Send(Request);
                var got = 0;
                do
                {
                    var read = http1.Receive(_buffer, got, _buffer.Length - got, SocketFlags.None);
                    if (read == 0)
                        throw new IOException("the proxy closed the connection");
                    got += read;
                }
                while (got < _response || !_buffer.AsSpan(0, got).EndsWith("xxxx"u8));
                _response = got;
            }
        }

        private static ProxyConfig Config(int upstream) => new()
        {
            Listeners = [new ListenerConfig { Name = "front", Address = "127.0.0.1", Port = 0, RouteTable = "front" }],
            RouteTables =
            [
                new RouteTableConfig
                {
                    Name = "front",
                    Hosts =
                    [
                        new VirtualHostConfig
                        {
                            Name = "any", Domains = ["*"],
                            Routes =
                            [
                                new RouteConfig { Name = "admin", Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Prefix, "/admin") }], Action = DirectResponse.NotFound },
                                new RouteConfig
                                {
                                    Name = "all",
                                    Action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }] },
                                    Filters = [new HeaderFilter { Request = new HeaderEdits { Set = [new("x-bench", "1")] }, Response = new HeaderEdits { Remove = ["x-powered-by"] } }],
                                },
                            ],
                        },
                    ],
                },
            ],
            Clusters =
            [
                new ClusterConfig
                {
                    Name = "web",
                    LoadBalancer = new LeastRequestBalancer(),
                    Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = upstream }, new EndpointConfig { Address = "127.0.0.2", Port = upstream }],
                },
            ],
        };

        private static int Free()
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return ((IPEndPoint)probe.LocalEndPoint!).Port;
        }

        private static void Throw(Exception defect) => Console.Error.WriteLine(defect);
    }
}
