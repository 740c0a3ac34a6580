using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Nodes;
using Weft.ApiServer;
using Weft.ApiServer.Authentication;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Scheduling;
using Weft.Control.Workloads;
using Weft.Node.Agent;

namespace Weft.Host.Server;

/// <summary>What works through the API: controllers, scheduler, node agent, each under its own identity. Stopped in the reverse order of their start.</summary>
internal sealed partial class ClusterParts : IAsyncDisposable
{
    private readonly Stack<Func<ValueTask>> _stops = new();

    internal required string NodeName { get; init; }

    internal static async Task<ClusterParts> StartAsync(
        ApiServerHost api, string authorityPem, ClusterSettings settings, ClusterPaths paths, LateStreams streams, TimeProvider time, Random random,
        ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var options = NodeParts.Options(paths, settings);
        var parts = new ClusterParts { NodeName = options.NodeName };
        try
        {
            await parts.StartAllAsync(api, options, streams, time, random, loggers, cancellationToken);
            return parts;
        }
        catch
        {
            await parts.DisposeAsync();
            throw;
        }
    }

    private async Task StartAllAsync(
        ApiServerHost api, NodeAgentOptions options, LateStreams streams, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        KubeClient Connect(UserInfo user, string agent) => new(api.CreateHandler(user), time, agent);

        using (var admin = Connect(new UserInfo("system:apiserver", [UserInfo.Masters]), "weft"))
            await ProcessRuntimeClass.EnsureAsync(admin, cancellationToken);

        var logger = loggers.CreateLogger("Weft.Control");
        var informers = new Informers(Connect(new UserInfo("system:kube-controller-manager", [UserInfo.Masters]), "kube-controller-manager"), time, random,
            (resource, failure) => Log.WatchFailed(logger, resource.ToString(), failure));
        using var stopping = new CancellationTokenSource();
        var stopInformers = new CancellationTokenSource();
        _stops.Push(async () =>
        {
            await stopInformers.CancelAsync();
            await informers.StoppedAsync();
        });
        var loops = new[] { "replicaset", "deployment" }.Select(name =>
        {
            var client = Connect(new UserInfo($"system:serviceaccount:kube-system:{name}-controller", [UserInfo.Masters]), $"{name}-controller");
            var tools = new ControllerTools($"{name}-controller", client, informers, new EventRecorder(client, $"{name}-controller", time, logger), time, random, logger);
            return name == "replicaset" ? ReplicaSetController.Create(tools) : DeploymentController.Create(tools);
        }).ToList();
        informers.Start(stopInformers.Token);
        foreach (var loop in loops)
            _ = loop.RunAsync(stopInformers.Token);

        var scheduler = await Scheduler.StartAsync(
            Connect(new UserInfo("system:kube-scheduler", [UserInfo.AllAuthenticated]), "kube-scheduler"), informers, time, random, loggers, cancellationToken);
        _stops.Push(scheduler.DisposeAsync);

        var node = await NodeAgent.StartAsync(
            options, Connect(new UserInfo($"system:node:{options.NodeName}", ["system:nodes"]), "weft-node"), time, random, loggers, cancellationToken);
        _stops.Push(node.DisposeAsync);
        streams.Connect(node.Streams);
    }

    public async ValueTask DisposeAsync()
    {
        while (_stops.TryPop(out var stop))
            await stop();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "watching {Resource} failed and is tried again")]
        public static partial void WatchFailed(ILogger logger, string resource, Exception failure);
    }
}
