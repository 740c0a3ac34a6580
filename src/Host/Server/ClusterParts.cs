using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.ApiServer;
using Weft.ApiServer.Authentication;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control;
using Weft.Control.Configuration;
using Weft.Control.Discovery.Registry;
using Weft.Control.Lifecycle;
using Weft.Control.Scheduling;
using Weft.Node.Agent;
using Weft.Node.Simulation;
using Weft.Storage;

namespace Weft.Host.Server;

/// <summary>What works through the API: controllers, scheduler, node agent, each under its own identity. Stopped in the reverse order of their start.</summary>
internal sealed partial class ClusterParts : IAsyncDisposable
{
    // errno(3), which .NET gives an IOException as its HResult.
    private const int NoSpace = 28;

    private static readonly TimeSpan RoomPause = TimeSpan.FromSeconds(2);

    private readonly Stack<Func<ValueTask>> _stops = new();

    internal required string NodeName { get; init; }

    /// <summary>Of the registry of services.</summary>
    internal int DiscoveryPort { get; private set; }

    internal delegate Task<DiscoveryParts> StartDiscovery(Informers informers, ConfigHub hub, CancellationToken cancellationToken);

    internal static async Task<ClusterParts> StartAsync(
        ApiServerHost api, string authorityPem, ClusterSettings settings, ClusterPaths paths, LateStreams streams, ConfigParts configuration, IdentityParts identity, StartDiscovery startDiscovery, TimeProvider time, Random random,
        ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var options = NodeParts.Options(paths, settings);
        var parts = new ClusterParts { NodeName = options.NodeName };
        try
        {
            await parts.StartAllAsync(api, authorityPem, settings, options, streams, configuration, identity, startDiscovery, time, random, loggers, cancellationToken);
            return parts;
        }
        catch
        {
            await parts.DisposeAsync();
            throw;
        }
    }

    private async Task StartAllAsync(
        ApiServerHost api, string authorityPem, ClusterSettings settings, NodeAgentOptions options, LateStreams streams, ConfigParts configuration, IdentityParts identity, StartDiscovery startDiscovery, TimeProvider time, Random random, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger<ClusterParts>();
        using (var admin = Connect(new UserInfo("system:apiserver", [UserInfo.Masters]), "weft"))
        {
            try
            {
                await ProcessRuntimeClass.EnsureAsync(admin, cancellationToken);
                await LocalStorageClass.EnsureAsync(admin, cancellationToken);
                if (await DnsService.EnsureAsync(admin, settings.DnsAddress, cancellationToken) is { } problem)
                    Log.NoDnsService(logger, problem);
            }
            catch (ApiStatusException refused) when (refused.IsWithoutRoom)
            {
                // The store has no room, and was asked for one that is missing: a cluster that was there serves without it.
                Log.NotMade(logger, refused.Message);
            }
        }

        // The node has the longest way (addresses, firewall, its own registration): it starts beside the controllers. Either may wait for room on the disk, but not where the other has failed.
        var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _stops.Push(() =>
        {
            ending.Dispose();
            return ValueTask.CompletedTask;
        });
        var nodes = Connect(new UserInfo($"system:node:{options.NodeName}", ["system:nodes"]), "weft-node");
        var node = WithRoomAsync("node of this machine", () => NodeAgent.StartAsync(options, nodes, time, random, loggers, ending.Token), time, logger, ending.Token);
        var others = StartOthersAsync(ending.Token);
        var first = await Task.WhenAny(node, others);
        if (!first.IsCompletedSuccessfully)
            await ending.CancelAsync();
        await Task.WhenAll(node, others).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (node.IsCompletedSuccessfully)
        {
            _stops.Push((await node).DisposeAsync);
            streams.Connect((await node).Streams);
        }

        // What failed first is why.
        await first;
        await Task.WhenAll(node, others);

        async Task StartOthersAsync(CancellationToken cancellationToken)
        {
            var controllers = await Controllers.StartAsync(
                name => api.CreateHandler(ServiceAccount(name)), new ControllersOptions
                {
                    CertificateAuthorityPem = authorityPem,
                    ClusterCidr = IPNetwork.Parse(settings.PodCidr),
                    LoadBalancerPool = options.LoadBalancerPool,
                    FrontDoor = settings.Mesh ? configuration.Door : null,
                    NodeGrace = settings.NodeGraceSeconds is { } grace ? new NodeGrace(TimeSpan.FromSeconds(grace), TimeSpan.FromSeconds(grace * 3 / 2)) : NodeGrace.Default,
                }, time, random, loggers, cancellationToken);
            _stops.Push(controllers.DisposeAsync);
            // Before the rest of the configuration: a proxy that is told the whole forgets what is not in it.
            var discovery = await WithRoomAsync("registry of services", () => startDiscovery(controllers.Informers, configuration.Hub, cancellationToken), time, logger, cancellationToken);
            DiscoveryPort = discovery.Port;
            _stops.Push(discovery.DisposeAsync);
            // Beside the rest: whoever wants to know waits for the configuration to be whole.
            var feeding = configuration.StartAsync(controllers.Informers, account => Connect(ServiceAccount(Controllers.IdentityOf(account)), account), discovery.Hosts, settings, options.LoadBalancerPool, cancellationToken);
            _stops.Push(() => StopAsync(feeding));
            var imported = await identity.StartAsync(controllers.Informers, cancellationToken);
            _stops.Push(() =>
            {
                imported.Dispose();
                return ValueTask.CompletedTask;
            });
            var scheduler = await Scheduler.StartAsync(
                Connect(new UserInfo("system:kube-scheduler", []), "kube-scheduler"), controllers.Informers, time, random, loggers, cancellationToken);
            _stops.Push(scheduler.DisposeAsync);
            var simulated = await WithRoomAsync("simulated nodes", () => SimulatedNodes.StartAsync(
                new SimulationOptions(settings.SimulatedNodes) { LeasePeriod = TimeSpan.FromSeconds((settings.NodeGraceSeconds ?? 40) / 2.0) },
                Connect(new UserInfo("system:weft:simulation", [UserInfo.Masters]), "weft-simulation"), controllers.Informers.Cache<Pod>(), time, random, loggers, cancellationToken), time, logger, cancellationToken);
            _stops.Push(simulated.DisposeAsync);
            await feeding;
        }

        KubeClient Connect(UserInfo user, string agent) => new(api.CreateHandler(user), time, agent);
    }

    /// <summary>Starts a part that writes at its start. As long as there is no room for that the server serves without it.</summary>
    private static async Task<T> WithRoomAsync<T>(string part, Func<Task<T>> start, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await start();
            }
            catch (Exception full) when (full is ApiStatusException { IsWithoutRoom: true } or RegistryStoreException { InnerException: StoreReadOnlyException } or NodeStartException { InnerException: IOException { HResult: NoSpace } })
            {
                Log.Waits(logger, part, full.Message);
            }

            await Task.Delay(RoomPause, time, cancellationToken);
        }
    }

    private static async ValueTask StopAsync(Task<IAsyncDisposable> feeding)
    {
        await ((Task)feeding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (feeding.IsCompletedSuccessfully)
            await (await feeding).DisposeAsync();
    }

    private static UserInfo ServiceAccount(string name) =>
        new(name, ServiceAccountNames.Parse(name) is { } account ? ServiceAccountNames.Groups(account.Namespace) : []);

    public async ValueTask DisposeAsync()
    {
        while (_stops.TryPop(out var stop))
            await stop();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "one of the classes and services that come with the cluster is missing until a later start: {Reason}")]
        public static partial void NotMade(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "the {Part} waits to be started: {Reason}")]
        public static partial void Waits(ILogger logger, string part, string reason);

        [LoggerMessage(LogLevel.Warning, "there is no Service kube-dns: {Problem}")]
        public static partial void NoDnsService(ILogger logger, string problem);
    }
}
