using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Cli.Supervision;
using Weft.Api.Joining;
using Weft.Client;
using Weft.Client.Joining;
using Weft.Host.Server;
using Weft.Node.Agent;
using Weft.Node.Agent.Tunnels;

namespace Weft.Host.Agent;

/// <summary>The agent of a node whose API server is somewhere else: joins once, then registers, runs pods, and waits for streams.</summary>
internal static partial class AgentRole
{
    private static readonly TimeSpan RangePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RenewalCheck = TimeSpan.FromMinutes(1);

    internal static async Task<int> RunAsync(ClusterPaths paths, TimeProvider time)
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Agent");
        try
        {
            return await ServeAsync(paths, time, loggers, logger, stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception refused) when (refused is JoinRefusedException or NodeStartException or InvalidDataException or UnauthorizedAccessException)
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
        var settings = AgentSettings.Load(paths.AgentSettings) ?? throw new InvalidDataException($"there is no {paths.AgentSettings}: join with weft agent --join URL --token TOKEN");
        // The one place where chance enters: everything below is given this.
#pragma warning disable RS0030
        var random = Random.Shared;
#pragma warning restore RS0030

        var server = new Uri(settings.Server);
        NodeCredentials credentials = null!;
        var hasMesh = false;
        await UntilReachedAsync(async () =>
        {
            (credentials, settings) = await EnterAsync(paths, settings, server, stopping);
            hasMesh = await JoinClient.HasMeshAsync(server, credentials, stopping) ?? settings.Mesh;
            await ProxyAccess.EnsureAsync(paths, settings, credentials, time.GetUtcNow(), stopping);
        }, paths, server, time, logger, stopping);
        if (hasMesh != settings.Mesh)
            return Turn(paths, settings, hasMesh, logger);

        Report(paths, ServerPhase.Api, $"node {settings.NodeName} has joined {settings.Server}");

        using var client = new KubeClient(credentials.CreateHandler(), time, "weft-node", server);
        NodeAgent agent = null!;
        await UntilReachedAsync(async () =>
        {
            if (settings.PodCidr is null)
            {
                settings = settings with { PodCidr = await PodRange.ObtainAsync(client, settings.NodeName, RangePatience, time, stopping) };
                settings.Save(paths.AgentSettings);
            }

            agent = await NodeAgent.StartAsync(AgentParts.Options(paths, settings, credentials), client, time, random, loggers, stopping);
        }, paths, server, time, logger, stopping);
        await using (agent)
        await using (var tunnels = new TunnelClient(server, credentials.CreateHandler(), agent.Streams, time, loggers.CreateLogger<TunnelClient>()))
        {
            tunnels.Start();
            await tunnels.Connected.WaitAsync(stopping);
            Report(paths, ServerPhase.Ready, $"node {settings.NodeName} is Ready");
            Log.Ready(logger, settings.NodeName, settings.Server);
            if (await KeepFreshAsync(paths, settings, credentials, time, logger, stopping) is { } turned)
                return Turn(paths, settings, turned, logger);
            Log.Stopping(logger);
        }

        return 0;
    }

    // The proxy beside this agent has the sockets of a mesh, or none: both begin again.
    private static int Turn(ClusterPaths paths, AgentSettings settings, bool hasMesh, ILogger logger)
    {
        (settings with { Mesh = hasMesh }).Save(paths.AgentSettings);
        Log.MeshTurned(logger, hasMesh ? "on" : "off");
        return Supervisor.StartAnew;
    }

    private static async Task<(NodeCredentials, AgentSettings)> EnterAsync(ClusterPaths paths, AgentSettings settings, Uri server, CancellationToken stopping)
    {
        if (NodeCredentials.Load(paths.Pki) is { } kept && settings.ClusterCidr is not null)
            return (kept, settings);
        var token = JoinToken.Parse(settings.Token ?? "")
            ?? throw new JoinRefusedException($"node {settings.NodeName} has no certificate and no token: join again with weft agent --join {settings.Server} --token TOKEN");
        var (credentials, answer) = await JoinClient.JoinAsync(server, token, settings.NodeName, paths.Pki, stopping);
        var joined = settings with { Token = null, ClusterCidr = answer.ClusterCidr, ServiceCidr = answer.ServiceCidr, ClusterDomain = answer.ClusterDomain, LeaseSeconds = answer.LeaseSeconds, Mesh = answer.Mesh };
        joined.Save(paths.AgentSettings);
        return (credentials, joined);
    }

    // A server that starts, or restarts, is waited for as long as it takes: pods run on meanwhile.
    private static async Task UntilReachedAsync(Func<Task> work, ClusterPaths paths, Uri server, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        var pause = FirstPause;
        while (true)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception away) when (away is HttpRequestException or ApiStatusException or System.Text.Json.JsonException)
            {
                var why = away.InnerException is { } inner ? $"{away.Message} {inner.Message}" : away.Message;
                Log.NotReached(logger, server, why, pause.TotalSeconds);
                Report(paths, ServerPhase.Starting, $"waiting for {server}: {why}");
            }

            await Task.Delay(pause, time, stopping);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <returns>Whether the cluster has a mesh, when that is not as it was at the start; null: it is told to end.</returns>
    private static async Task<bool?> KeepFreshAsync(ClusterPaths paths, AgentSettings settings, NodeCredentials credentials, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (credentials.IsDue(time.GetUtcNow()))
                {
                    await JoinClient.RenewAsync(new Uri(settings.Server), settings.NodeName, credentials, stopping);
                    Log.Renewed(logger, credentials.Certificate.NotAfter);
                }

                if (await ProxyAccess.EnsureAsync(paths, settings, credentials, time.GetUtcNow(), stopping))
                    Log.ProxyRenewed(logger);
                if (await JoinClient.HasMeshAsync(new Uri(settings.Server), credentials, stopping) is { } hasMesh && hasMesh != settings.Mesh)
                    return hasMesh;
            }
            catch (Exception failed) when (failed is HttpRequestException or JoinRefusedException or System.Text.Json.JsonException || (failed is OperationCanceledException && !stopping.IsCancellationRequested))
            {
                // A third of its life is left for further tries.
                Log.NotRenewed(logger, failed.Message);
            }

            await Task.Delay(RenewalCheck, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    private static void Report(ClusterPaths paths, ServerPhase phase, string message) =>
        new ServerState(ProcessIdentity.Current, phase, message).Save(paths.ServerFile);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "cannot start: {Reason}")]
        public static partial void CannotStart(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Information, "node {Node} of {Server} is ready")]
        public static partial void Ready(ILogger logger, string node, string server);

        [LoggerMessage(LogLevel.Warning, "{Server} cannot be reached, again in {Seconds:0.0} s: {Reason}")]
        public static partial void NotReached(ILogger logger, Uri server, string reason, double seconds);

        [LoggerMessage(LogLevel.Information, "the node's certificate is renewed, until {NotAfter:u}")]
        public static partial void Renewed(ILogger logger, DateTime notAfter);

        [LoggerMessage(LogLevel.Information, "the certificate of the node's proxy is renewed")]
        public static partial void ProxyRenewed(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "a certificate of the node could not be renewed: {Reason}")]
        public static partial void NotRenewed(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Information, "the cluster's mesh was turned {Now}: the processes of this node start anew")]
        public static partial void MeshTurned(ILogger logger, string now);

        [LoggerMessage(LogLevel.Information, "stopping")]
        public static partial void Stopping(ILogger logger);
    }
}
