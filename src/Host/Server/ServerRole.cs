using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Certificates;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Node.Agent;
using Weft.Storage;
using Weft.Storage.Compaction;
using Weft.Storage.Sqlite;

namespace Weft.Host.Server;

/// <summary>`weft server`: the store, the API server and everything that works through it, in the order in which they need each other.</summary>
internal static partial class ServerRole
{
    internal static async Task<int> RunAsync(ClusterPaths paths, TimeProvider time)
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Server");
        try
        {
            return await ServeAsync(paths, time, loggers, logger, stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception refused) when (refused is StoreOpenException or PkiException or NodeStartException or InvalidDataException or IOException or StoreReadOnlyException or SocketException)
        {
            // Nothing that a restart would mend: say it, and tell the supervisor to leave it.
            Log.CannotStart(logger, refused.Message);
            new ServerState(ProcessIdentity.Current, ServerPhase.Failed, refused.Message).Save(paths.ServerFile);
            return Supervisor.CannotStart;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    private static async Task<int> ServeAsync(ClusterPaths paths, TimeProvider time, ILoggerFactory loggers, ILogger logger, CancellationToken stopping)
    {
        Report(paths, ServerPhase.Starting, "starting");
        var settings = ClusterSettings.Load(paths.Settings) ?? throw new InvalidDataException($"there is no {paths.Settings}: start the cluster with weft up");
        // The one place where chance enters: everything below is given this.
#pragma warning disable RS0030
        var random = Random.Shared;
#pragma warning restore RS0030

        var storage = new SqliteStoreOptions { Path = paths.Database };
        var opening = SqliteStore.OpenAsync(storage, time, stopping);
        using var pki = ClusterPki.LoadOrCreate(Pki(paths, settings), time);
        KubeconfigFile.Write(paths, settings.ApiPort, pki);
        KubeconfigFile.WriteProxys(paths, settings.ApiPort, pki, NodeParts.Options(paths, settings).NodeName);
        await using var store = await opening;
        if (await BootstrapPolicy.ReconcileAsync(store, time, stopping) is { } noRoom)
            Log.OldRoles(logger, noRoom);
        using var background = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var compacting = new AutoCompactor(store, new CompactionOptions(), time).RunAsync(background.Token);

        await using var images = await RegistryParts.StartAsync(paths, settings, time, loggers, stopping);
        if (settings.RegistryPort != images.Port)
            (settings = settings with { RegistryPort = images.Port }).Save(paths.Settings);

        var discoveryToken = DiscoveryParts.Token(paths.DiscoveryToken); // before the node: it hides the file from pods
        var streams = new LateStreams();
        var configuration = new ConfigParts(time, random, loggers, background.Token);
        await using var identity = new IdentityParts(paths, settings, time, loggers, background.Token);
        var node = NodeParts.Options(paths, settings);
        await using var api = ApiParts.Compose(
            store, pki, new IPEndPoint(IPAddress.Any, settings.ApiPort), Gateway(settings.PodCidr), settings, node.NodeName, streams, images.OnApiServer, configuration, identity, time, random, loggers);
        await api.StartAsync(stopping);
        Report(paths, ServerPhase.Api, $"API server on https://127.0.0.1:{settings.ApiPort}");

        // It may wait for room on a disk: what ends a server ends it then, too.
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var parts = ClusterParts.StartAsync(api, pki.AuthorityPem, settings, paths, streams, configuration, identity,
            (informers, hub, token) => DiscoveryParts.StartAsync(store, storage.MaxOperations, discoveryToken, settings, node.NodeName, Gateway(settings.PodCidr), informers, hub, time, random, loggers, token),
            time, random, loggers, starting.Token);
        if (await Task.WhenAny(parts, store.Failed, api.Failed, compacting) is var early && early != parts && !stopping.IsCancellationRequested)
        {
            await SayAsync(early);
            await starting.CancelAsync();
            await ((Task)parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (parts.IsCompletedSuccessfully)
                await (await parts).DisposeAsync();
            await background.CancelAsync();
            return 1;
        }

        await using var cluster = await parts;
        if (settings.DiscoveryPort != cluster.DiscoveryPort)
            (settings = settings with { DiscoveryPort = cluster.DiscoveryPort }).Save(paths.Settings);
        Report(paths, ServerPhase.Ready, $"node {cluster.NodeName} is Ready");
        Log.Ready(logger, settings.ApiPort);

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stop = stopping.Register(ended.SetResult);
        var first = await Task.WhenAny(ended.Task, store.Failed, api.Failed, compacting);
        if (first == ended.Task)
        {
            Log.Stopping(logger);
            await compacting;
            return 0;
        }

        await SayAsync(first);
        await background.CancelAsync();
        return 1;

        async Task SayAsync(Task ended)
        {
            if (ended == store.Failed)
                // The outcome of a write is unknown: only a new process, which reads what is on the disk, can tell.
                Log.StoreFailed(logger, await store.Failed);
            else if (ended == api.Failed)
                // Rights or kinds would be answered from a state that no longer follows the store.
                Log.LoopEnded(logger, await api.Failed);
            else
                // Without it the history grows without end: a restart is the smaller harm.
                Log.CompactionEnded(logger, compacting.Exception);
        }
    }

    private static PkiOptions Pki(ClusterPaths paths, ClusterSettings settings) => new(paths.Pki)
    {
        ServerNames = [Environment.MachineName],
        ServiceAddress = Gateway(settings.ServiceCidr),
        ServerAddresses = [.. MachineAddresses(), Gateway(settings.PodCidr), .. settings.LinkCidr() is { } link ? [AddressPlan.Host(link, 1)] : Array.Empty<IPAddress>()],
    };

    /// <summary>The first address of a range. Of pods': the host end of every pod's link, where the API server answers them; of services': its service.</summary>
    internal static IPAddress Gateway(string cidr)
    {
        var bytes = IPNetwork.Parse(cidr).BaseAddress.GetAddressBytes();
        bytes[3]++;
        return new IPAddress(bytes);
    }

    private static IEnumerable<IPAddress> MachineAddresses() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(link => link.OperationalStatus == OperationalStatus.Up && link.NetworkInterfaceType != NetworkInterfaceType.Loopback && !link.Name.StartsWith("veth", StringComparison.Ordinal))
        .SelectMany(link => link.GetIPProperties().UnicastAddresses).Select(address => address.Address)
        .Where(address => address.AddressFamily == AddressFamily.InterNetwork);

    private static void Report(ClusterPaths paths, ServerPhase phase, string message) =>
        new ServerState(ProcessIdentity.Current, phase, message).Save(paths.ServerFile);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "cannot start: {Reason}")]
        public static partial void CannotStart(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "the cluster's own roles stay as an earlier start has left them: {Reason}")]
        public static partial void OldRoles(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Information, "ready, API on port {Port}")]
        public static partial void Ready(ILogger logger, int port);

        [LoggerMessage(LogLevel.Error, "the store cannot tell whether a write is durable; ending")]
        public static partial void StoreFailed(ILogger logger, Exception failure);

        [LoggerMessage(LogLevel.Error, "a loop of the API server ended by itself; ending")]
        public static partial void LoopEnded(ILogger logger, Exception failure);

        [LoggerMessage(LogLevel.Error, "compaction ended by itself; ending")]
        public static partial void CompactionEnded(ILogger logger, Exception? failure);

        [LoggerMessage(LogLevel.Information, "stopping")]
        public static partial void Stopping(ILogger logger);
    }
}
