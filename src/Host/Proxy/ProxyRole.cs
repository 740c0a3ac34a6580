using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Weft.Cli.Proxies.HotRestart;
using Weft.Cli.Supervision;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Host.Server;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Configuration;
using Weft.Proxy.Dns.Forwarding;
using Weft.Proxy.Dns.Server;

namespace Weft.Host.Proxy;

/// <summary>`weft proxy`: one node's data plane. It begins with what it knew last, and follows the server whenever that is there.</summary>
internal static partial class ProxyRole
{
    private const string Domain = "cluster.local";

    // The word is there when the process is: ten times what it takes to be read.
    private static readonly TimeSpan NeededAtOnce = TimeSpan.FromMilliseconds(100);

    /// <param name="directory">Holds `kubeconfig` and `state`.</param>
    /// <param name="arguments">`--socket NAME=DESCRIPTOR`, as the supervisor adds them.</param>
    internal static async Task<int> RunAsync(string directory, IReadOnlyList<string> arguments, TimeProvider time)
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Proxy");
        if (Sockets(arguments) is not { } sockets || !sockets.TryGetValue(ProxyChild.UdpSocket, out var udp) || !sockets.TryGetValue(ProxyChild.TcpSocket, out var tcp))
        {
            Log.NoSockets(logger, ProxyChild.UdpSocket, ProxyChild.TcpSocket);
            return Supervisor.CannotStart;
        }

        using var link = ControlSocket.Among(arguments) is { } control ? new SupervisorLink(control) : null;
        if (link is not null && !await MayBeginAsync(link, time, loggers))
            return 0;

        // The one place where chance enters: everything below is given this.
#pragma warning disable RS0030
        var random = Random.Shared;
#pragma warning restore RS0030

        var access = Path.Combine(directory, "kubeconfig");
        MeshPart? mesh;
        try
        {
            mesh = MeshPart.Create(directory, sockets, cancellationToken => ConnectAsync(access, CertificateChannel.Path, cancellationToken), link, time, random, loggers);
        }
        catch (Exception unusable) when (unusable is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Log.NoMesh(logger, unusable.Message);
            return Supervisor.CannotStart;
        }

        // The sockets are never closed here: they are the supervisor's, too, and closing may shut them down for the next proxy.
        await using var dns = new DnsServer(udp, tcp, Domain, ResolverFiles.OfMachine, time, loggers, mesh is null ? null : mesh.Proxy.NamespaceOf);
        var state = new ConfigState(dns.Apply, mesh?.Proxy);
        var file = new ConfigFile(Path.Combine(directory, "state", "configuration"));
        Load(file, state, logger);
        dns.Start();
        mesh?.Start(((IPEndPoint)udp.LocalEndPoint!).Address, time, loggers);
        await new ConfigClient(state, file, cancellationToken => ConnectAsync(access, ConfigStream.Path, cancellationToken), time, random, loggers.CreateLogger("Weft.Proxy.Configuration"))
        {
            Draining = mesh is null ? () => ImmutableHashSet<string>.Empty : () => mesh.Proxy.Draining,
        }.RunAsync(stopping.Token);
        if (mesh is not null)
        {
            await mesh.DrainAsync();
            await mesh.DisposeAsync();
        }

        return 0;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    /// <summary>When it has all that was left by the run before. False: the supervisor is gone, or needs no other, before it said so.</summary>
    private static async Task<bool> MayBeginAsync(SupervisorLink link, TimeProvider time, ILoggerFactory loggers)
    {
        var order = link.Orders.WaitToReadAsync().AsTask();
        // Who is needed at once is told at once. The others prepare.
        if (await Task.WhenAny(order, Task.Delay(NeededAtOnce, time)) != order)
        {
            using var needed = new CancellationTokenSource();
            var rehearsal = Task.Run(() => Rehearsal.RunAsync(null, time, loggers, needed.Token));
            if (await Task.WhenAny(rehearsal, order) == order)
                await needed.CancelAsync();
        }

        while (await order)
        {
            if (await link.Orders.ReadAsync() == WorkerOrders.Serve)
                return true;
            order = link.Orders.WaitToReadAsync().AsTask();
        }

        return false;
    }

    private static void Load(ConfigFile file, ConfigState state, ILogger logger)
    {
        try
        {
            if (file.Load() is not { } step)
                return;
            state.Apply(step);
            Log.Loaded(logger, state.Units.Count);
        }
        catch (Exception unusable) when (unusable is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            // The server has everything: without it the names are unknown, which is what is answered.
            Log.NotLoaded(logger, unusable.Message);
        }
    }

    private static async Task<WebSocket> ConnectAsync(string path, string stream, CancellationToken cancellationToken)
    {
        ClusterAccess access;
        try
        {
            // Read each time: its certificate is renewed by the server.
            access = Kubeconfig.Load(path, null, "").Access();
        }
        catch (Exception missing) when (missing is KubeconfigException or UnauthorizedAccessException)
        {
            throw new IOException(missing.Message, missing);
        }

        using var invoker = new HttpMessageInvoker(access.CreateHandler());
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(15);
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(15);
            await socket.ConnectAsync(new UriBuilder(access.Server) { Scheme = "wss", Path = stream }.Uri, invoker, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Dictionary<string, Socket>? Sockets(IReadOnlyList<string> arguments)
    {
        var sockets = new Dictionary<string, Socket>();
        for (var i = 0; i + 1 < arguments.Count; i += 2)
        {
            var pair = arguments[i + 1].Split('=');
            if (arguments[i] != "--socket" || pair.Length != 2 || !int.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor))
                return null;
            if (pair[0] == ControlSocket.Name)
                continue; // no socket of the network
            sockets[pair[0]] = new Socket(new SafeSocketHandle(descriptor, ownsHandle: false));
        }

        return sockets;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "no sockets {Udp} and {Tcp} were handed over: the proxy is started by the supervisor of weft up")]
        public static partial void NoSockets(ILogger logger, string udp, string tcp);

        [LoggerMessage(LogLevel.Error, "the mesh cannot be served: {Reason}")]
        public static partial void NoMesh(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Information, "began with the configuration on disk: {Units} units")]
        public static partial void Loaded(ILogger logger, int units);

        [LoggerMessage(LogLevel.Warning, "the configuration on disk is not used: {Reason}")]
        public static partial void NotLoaded(ILogger logger, string reason);
    }
}
