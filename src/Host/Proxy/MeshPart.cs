using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Weft.Api.Istio;
using Weft.Cli.Proxies.HotRestart;
using Weft.Cli.Supervision;
using Weft.Node.Agent;
using Weft.Proxy.Mesh;
using Weft.Proxy.Runtime;

namespace Weft.Host.Proxy;

/// <summary>The mesh in a node's proxy: what it is given, its metrics and its health.</summary>
internal sealed partial class MeshPart : IAsyncDisposable
{
    // Istio's port of a sidecar's health.
    private const int HealthPort = 15021;

    // Two files of it: some 50,000 requests each.
    private const long AccessLogBytes = 16 << 20;

    // With the second that an engine gives its clients to close, below the supervisor's patience with a child that is to end (3 s).
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1.5);

    // Of a machine with fifty programs to each core a loop answers after seconds; what takes ten times as long hangs. The supervisor waits a little longer, so that whoever can say which loop it is does so.
    private static readonly TimeSpan LoopLimit = TimeSpan.FromSeconds(30), SilenceLimit = TimeSpan.FromSeconds(35);
    private readonly List<AdminServer> _admin = [];
    private readonly RotatingFile? _access;

    private readonly OwnAddresses _own;

    private readonly IPAddress? _door;

    private readonly SupervisorLink? _link;

    private MeshPart(MeshProxy proxy, RotatingFile? access, OwnAddresses own, IPAddress? door, SupervisorLink? link) => (Proxy, _access, _own, _door, _link) = (proxy, access, own, door, link);

    public MeshProxy Proxy { get; }

    /// <param name="link">Where the front door's sockets outlive this process; null: nowhere.</param>
    /// <returns>Null: this node has no mesh.</returns>
    public static MeshPart? Create(
        string directory, IReadOnlyDictionary<string, Socket> sockets, Func<CancellationToken, Task<WebSocket>> certificates, SupervisorLink? link, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        var outbound = Group(sockets, MeshSockets.Outbound);
        var logger = loggers.CreateLogger<MeshPart>();
        if (outbound.Count == 0)
            return null;
        var node = ProxyNodeFile.Load(directory) ?? throw new InvalidDataException($"{ProxyNodeFile.PathIn(directory)} is missing, and the mesh has sockets: the supervisor writes it");
        var access = AccessLog(Path.Combine(directory, "state", "access.log"), logger);
        var own = new OwnAddresses(time);
        var doorAddress = IPAddress.TryParse(node.DoorAddress, out var door) ? door : null;
        var proxy = MeshProxy.Create(
            new MeshProxyOptions
            {
                Node = node.Node, DoorAddress = doorAddress, Outbound = outbound, Inbound = Group(sockets, MeshSockets.Inbound), Hbone = Group(sockets, MeshSockets.Hbone),
                Registration = sockets.GetValueOrDefault(MeshSockets.Registration), Inspection = sockets.GetValueOrDefault(MeshSockets.Inspection), StateDirectory = Path.Combine(directory, "state"), IsOwnAddress = own.Contains, Certificates = certificates, Loops = outbound.Count,
                Mark = MeshPorts.SocketMark, AccessLog = access, ClusterRanges = [.. new[] { node.ClusterCidr, node.ServiceCidr }.Where(range => range.Length > 0).Select(IPNetwork.Parse)],
                BalancerPool = node.ServiceCidr.Length > 0 ? IPNetwork.Parse(NodeAgentOptions.LoadBalancerPoolOf(node.ServiceCidr)) : null, Inherited = link is null ? null : Inherit(link),
            },
            time, random, loggers);
        return new MeshPart(proxy, access, own, doorAddress, link);
    }

    /// <summary>Metrics and health at once, metrics also where other nodes' pods reach them (the loopback address is each node's own); captured connections wait in their sockets until there is a configuration: before it nobody would be known, and all of them refused.</summary>
    public void Start(IPAddress address, TimeProvider time, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger<MeshPart>();
        _ = StartWhenConfiguredAsync(logger);
        if (_link is { } link)
            Proxy.WatchLoops(() => link.Say(FormattableString.Invariant($"{WorkerOrders.Alive} {SilenceLimit.TotalMilliseconds:0}")), loop => End(loop, logger), LoopLimit);
        IEnumerable<(IPEndPoint, Func<string, (int, string, string)>)> wanted = [(new(address, MeshMembership.MetricsPort), Metrics), (new(address, HealthPort), Health)];
        foreach (var (at, answer) in _door is null ? wanted : wanted.Append((new(_door, MeshMembership.MetricsPort), Metrics)))
        {
            try
            {
                _admin.Add(AdminServer.Start(at, answer, time, loggers.CreateLogger<AdminServer>(), comes: true));
            }
            catch (ProxyConfigException taken)
            {
                // Requests are served all the same.
                Log.NoAdmin(loggers.CreateLogger<MeshPart>(), string.Join("; ", taken.Errors));
            }
        }
    }

    // At once and whole, as after a crash: what hangs cannot be waited for, and another process waits to take its place.
    private static void End(string loop, ILogger logger)
    {
        Log.Hangs(logger, loop);
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private async Task StartWhenConfiguredAsync(ILogger logger)
    {
        try
        {
            await Proxy.Configured;
            _link?.ReleaseRest(); // ports that the front door has no more
            await Proxy.StartAsync();
        }
        catch (Exception defect)
        {
            Log.NotStarted(logger, defect);
        }
    }

    public Task DrainAsync() => Proxy.DrainAsync(DrainTime);

    public async ValueTask DisposeAsync()
    {
        foreach (var admin in _admin)
            await admin.DisposeAsync();
        await Proxy.DisposeAsync();
        _own.Dispose();
        if (_access is not null)
            await _access.DisposeAsync();
    }

    private (int Status, string ContentType, string Body) Metrics(string path)
    {
        if (path is not ("/metrics" or "/stats/prometheus"))
            return (404, "text/plain", "/metrics\n");
        using var text = new StringWriter { NewLine = "\n" };
        Proxy.WriteMetrics(text);
        return (200, "text/plain; version=0.0.4; charset=utf-8", text.ToString());
    }

    private (int Status, string ContentType, string Body) Health(string path) =>
        path != "/healthz/ready" ? (404, "text/plain", "/healthz/ready\n") : Proxy.IsReady ? (200, "text/plain", "ok\n") : (503, "text/plain", "not ready\n");

    // Sessions of the front door's clients outlive the process as well.
    private static Inheritance Inherit(SupervisorLink link)
    {
        var inherited = Inheritance.Of(link, link.TakeTickets());
        link.KeepTickets(inherited.ExportTickets());
        return inherited;
    }

    // `NAME.0`, `NAME.1`, ...
    private static List<Socket> Group(IReadOnlyDictionary<string, Socket> sockets, string name)
    {
        var group = new List<Socket>();
        while (sockets.TryGetValue(FormattableString.Invariant($"{name}.{group.Count}"), out var socket))
            group.Add(socket);
        return group;
    }

    private static RotatingFile? AccessLog(string path, ILogger logger)
    {
        try
        {
            return new RotatingFile(path, AccessLogBytes);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Log.NoAccessLog(logger, path, refused.Message);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Reason}; requests are served without it")]
        public static partial void NoAdmin(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Critical, "{Loop} of the proxy has not turned for too long: the process ends, and another takes its place")]
        public static partial void Hangs(ILogger logger, string loop);

        [LoggerMessage(LogLevel.Critical, "captured connections are not accepted")]
        public static partial void NotStarted(ILogger logger, Exception defect);

        [LoggerMessage(LogLevel.Warning, "{Path} cannot be written, so requests are not logged: {Reason}")]
        public static partial void NoAccessLog(ILogger logger, string path, string reason);
    }
}
