using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>The engine as it is run, by configuration, with routes and filters on. An exception that nobody expected in one of its loops is a failure of the test.</summary>
internal sealed class HostileBed : IAsyncDisposable
{
    private readonly Defects _defects = new();

    private HostileBed(int loops) => Engine = new ProxyEngine(loops, Stream.Null, TimeProvider.System, new Random(7), _defects);

    public ProxyEngine Engine { get; }

    public IPEndPoint Address => Engine.Addresses["main"];

    /// <param name="loops">One: all requests share the pools of one loop, and so the connections to the endpoint.</param>
    public static async Task<HostileBed> StartAsync(ProxyConfig config, int loops = 1)
    {
        var bed = new HostileBed(loops);
        await bed.Engine.ApplyAsync(config);
        return bed;
    }

    public static Task<HostileBed> StartAsync(ClusterConfig cluster, Func<ListenerConfig, ListenerConfig>? listener = null, int loops = 1, Func<ForwardAction, ForwardAction>? action = null) =>
        StartAsync(Config(cluster, listener, action), loops);

    /// <summary>A route that answers itself, one that forwards through filters, for all hosts.</summary>
    public static ProxyConfig Config(ClusterConfig cluster, Func<ListenerConfig, ListenerConfig>? listener = null, Func<ForwardAction, ForwardAction>? action = null)
    {
        var forward = new ForwardAction { Clusters = [new WeightedCluster { Cluster = cluster.Name }] };
        var config = ProxyFixture.Config(
            [
                new RouteConfig
                {
                    Name = "direct",
                    Matches = [new RouteMatch { Path = new PathMatch(PathMatchKind.Prefix, "/direct") }],
                    Action = new DirectResponse { Status = 200, Body = new string('d', 1000) },
                },
                new RouteConfig
                {
                    Name = "all",
                    Action = action?.Invoke(forward) ?? forward,
                    Filters =
                    [
                        new HeaderFilter
                        {
                            Request = new HeaderEdits { Set = [new("x-bed", "%METHOD% %CLIENT_ADDRESS%")], Remove = ["x-remove-*"] },
                            Response = new HeaderEdits { Remove = ["x-powered-by"] },
                        },
                        new CorsFilter { AllowOrigins = [StringMatch.Exact("https://shop.example")], AllowMethods = ["GET"] },
                    ],
                },
            ],
            cluster);
        return listener is null ? config : config with { Listeners = [listener(config.Listeners[0])] };
    }

    public static ClusterConfig Cluster(IPEndPoint endpoint, UpstreamProtocol protocol = UpstreamProtocol.Http1) => new()
    {
        Name = "web",
        Protocol = protocol,
        Endpoints = [new EndpointConfig { Address = endpoint.Address.ToString(), Port = endpoint.Port }],
    };

    public Socket Connect(string? from = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 60_000 };
        if (from is not null)
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect(Address);
        return socket;
    }

    public HttpClient Client(Version version) => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        BaseAddress = new Uri($"http://{Address}"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(60),
    };

    public string Metrics()
    {
        using var text = new StringWriter { NewLine = "\n" };
        Engine.WriteMetrics(text);
        return text.ToString();
    }

    public long Gauge(string name) => Regex.Matches(Metrics(), $@"^{name}(\{{.*\}})? (\d+)$", RegexOptions.Multiline).Sum(match => long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));

    /// <summary>Every request has ended and every client has gone, in all accounts.</summary>
    public Task NothingLeftAsync() => Eventually.TrueAsync(
        () => Gauge("weft_proxy_requests_in_flight") == 0 && Gauge("weft_proxy_endpoint_requests_in_flight") == 0 && Gauge("weft_proxy_connections") == 0, state: Metrics);

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        Assert.Empty(_defects.Seen);
    }

    private sealed class Defects : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Seen { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Seen.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
