using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Nodes;
using Weft.Api.Streams;
using Weft.Client;
using Weft.Node.Images;
using Weft.Node.Logs;
using Weft.Node.Network;
using Weft.Node.Network.Mesh;
using Weft.Node.Network.Policies;
using Weft.Node.Network.Services;
using Weft.Node.Network.Routes;
using Weft.Node.Pods;
using Weft.Node.Pressure;
using Weft.Node.Probes;
using Weft.Node.Runtime;
using Weft.Node.Runtime.Cri;
using Weft.Node.Runtime.Process;
using Weft.Node.Shutdown;
using Weft.Node.Usage;
using Weft.Node.Volumes;

namespace Weft.Node.Agent;

/// <summary>Makes this machine a node: registers it, runs the pods bound to it, and serves their streams.</summary>
public sealed partial class NodeAgent : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _parts = [];   // stopped in reverse order
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];

    private NodeAgent() { }

    /// <summary>For the API server in this process, or over the agent's connection.</summary>
    public IPodStreams Streams { get; private set; } = null!;

    /// <summary>
    /// Returns when the node is registered and its pods are taken over. Pods that an earlier run started are found again, and run on.
    /// </summary>
    /// <exception cref="NodeStartException">What the machine lacks, and what to do.</exception>
    public static Task<NodeAgent> StartAsync(
        NodeAgentOptions options, KubeClient client, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken = default) =>
        StartAsync(options, client, time, random, loggers, token => CriRuntime.StartImagesAsync(ContainerOptions(options), time, random, loggers, token), cancellationToken);

    /// <param name="images">Starts the runtime of images; null: this node has none.</param>
    internal static async Task<NodeAgent> StartAsync(
        NodeAgentOptions options, KubeClient client, TimeProvider time, Random random, ILoggerFactory loggers,
        Func<CancellationToken, Task<ImageRuntime>>? images, CancellationToken cancellationToken = default)
    {
        var agent = new NodeAgent();
        try
        {
            await agent.StartPartsAsync(options, client, time, random, loggers, images, cancellationToken);
            return agent;
        }
        catch (Exception e)
        {
            await agent.DisposeAsync();
            if (e is RuntimeException or IOException or UnauthorizedAccessException)
                throw new NodeStartException($"the node agent cannot start: {e.Message}", e);
            throw;
        }
    }

    private async Task StartPartsAsync(
        NodeAgentOptions options, KubeClient client, TimeProvider time, Random random, ILoggerFactory loggers,
        Func<CancellationToken, Task<ImageRuntime>>? images, CancellationToken cancellationToken)
    {
        if (Environment.UserName != "root" && !Environment.IsPrivilegedProcess)
            throw new NodeStartException("the node agent needs root: namespaces, mounts and cgroups are made by it. Run with sudo.");
        var logger = loggers.CreateLogger<NodeAgent>();
        var settings = RuntimeOptions(options);
        if (!File.Exists(settings.Crun))
            throw new NodeStartException($"{settings.Crun} is missing: install the package 'crun' (apt-get install crun)");
        var machine = await MachineFacts.ReadAsync(settings.Crun);
        Directory.CreateDirectory(options.DataDir, ProcessMachine.OwnerOnly);
        Sysctls.EnableForwarding();
        await NodeFirewall.ApplyAsync(options.ClusterName, options.PodCidr, settings.ClusterCidr);
        var network = ServiceNetwork(options);
        var directories = new PodDirectories(options.DataDir);
        var mesh = await StartMeshAsync(options, network, directories, client, time, random, OnWatchError, loggers, cancellationToken);
        var processes = Own(await ProcessRuntime.StartAsync(settings, time, random, loggers));
        var runtime = Own(new PodRuntimes(processes, images, time, loggers.CreateLogger<PodRuntimes>()));

        var nodeIp = options.NodeIp ?? HostLink.Address();
        var facts = new NodeFacts(options.NodeName, nodeIp, Quantity.FromUnits(machine.Cpus), Quantity.FromUnits(machine.MemoryBytes));
        var registration = Own(new NodeRegistration(client, options, machine, nodeIp, time, loggers.CreateLogger<NodeRegistration>()));
        await registration.RegisterAsync(cancellationToken);
        registration.Start();
        var claims = Own(await LocalVolumes.StartAsync(client, options.NodeName, options.DataDir, time, random, OnWatchError, loggers.CreateLogger<LocalVolumes>(), cancellationToken));
        var volumes = new PodVolumes(options.RunDir, directories, new PodTokens(client, time), facts, time, claims);
        volumes.Prepare();

        var nodes = new Informer<Api.Core.Node>(client.For<Api.Core.Node>(), time, random, OnWatchError);
        _loops.Add(nodes.RunAsync(_stop.Token));
        _loops.Add(new NodeRoutes(options.NodeName, settings.ClusterCidr, options.RunDir, nodes, time, loggers.CreateLogger<NodeRoutes>()).RunAsync(_stop.Token));

        var events = Own(new EventRecorder(client, options.NodeName, time, loggers.CreateLogger<EventRecorder>()));
        events.Start();
        var pods = new Informer<Pod>(client.For<Pod>(), time, random, OnWatchError, null, "spec.nodeName=" + options.NodeName);
        _loops.Add(pods.RunAsync(_stop.Token));
        await pods.Synced.WaitAsync(cancellationToken);
        claims.NodePods = pods.Cache.All;
        var statuses = Own(new StatusWriter(client, pods.Cache, time, random, loggers.CreateLogger<StatusWriter>()));
        statuses.Start();

        // Before the first pod starts: what it asks for at its start is a service.
        var proxy = Own(await ServiceProxy.StartAsync(network, options.MeshSocket is null ? null : options.ClusterDomain, client, pods.Cache, events, time, random, loggers, cancellationToken));

        Own(await PolicyEnforcer.StartAsync(options.ClusterName, options.NodeName, options.MeshSocket is not null, client, time, random, OnWatchError, loggers.CreateLogger<PolicyEnforcer>(), cancellationToken));

        PodManager? manager = null;
        PressureLoop? pressure = null;
        var configMaps = Own(new ObjectWatches<ConfigMap>(client, time, random, OnWatchError, key => manager?.OnReferenceChanged(key)));
        var secrets = Own(new ObjectWatches<Secret>(client, time, random, OnWatchError, key => manager?.OnReferenceChanged(key)));
        var probes = new ProbeClient(runtime, time);
        var use = new ImageUse();
        var puller = new ImagePuller(new NodeImages(runtime), use, time);
        var classes = new Informer<RuntimeClass>(client.For<RuntimeClass>(), time, random, OnWatchError);
        classes.Cache.Subscribe(_ => manager?.LookAgain());
        _loops.Add(classes.RunAsync(_stop.Token));
        manager = Own(new PodManager(new PodServices(
            client, pods.Cache, runtime, new RuntimeChooser(runtime, classes.Cache, client), puller, volumes, configMaps, secrets, probes, events, statuses, directories, facts, new DnsSettings(options.DnsServers, options.ClusterDomain),
            new PodEnvironment(options.ApiPort is null ? null : network.ApiAddress, proxy.Services.InNamespace, machine.Capabilities), () => new(pressure?.Current ?? NodePressure.None, registration.IsShuttingDown), time, loggers) { Mesh = mesh, Withdrawal = new PodWithdrawal(client, time, loggers.CreateLogger<PodWithdrawal>()) }));
        await manager.StartAsync(cancellationToken);
        if (mesh is not null)
            await mesh.RetainAsync(manager.Pods.Select(pod => pod.Metadata.Uid!).ToHashSet(), cancellationToken);
        runtime.Start(manager.OnImageRuntimeAsync);
        _loops.Add(new LogRotator([() => runtime.Process, () => (runtime.Images as ImageRuntimeState.Ready)?.Runtime], time, loggers.CreateLogger<LogRotator>()).RunAsync(_stop.Token));
        var collector = new ImageCollector(
            () => (runtime.Images as ImageRuntimeState.Ready)?.Images, use, pods.Cache.All, MachineRoom.Of, events.NodeWarning, time, loggers.CreateLogger<ImageCollector>());
        _loops.Add(collector.RunAsync(_stop.Token));
        pressure = new PressureLoop(
            new PressureSources(
                () => MachineRoom.Read(options.DataDir, Path.Combine(options.DataDir, "containerd")), () => [.. pods.Cache.All().Where(p => manager.Find(p.Metadata.Uid!) is not null)],
                new PodUsage("/weft-" + options.ClusterName, directories).Of, manager.Evict, registration.ReportAsync, token => collector.CollectAsync(everything: true, token)),
            time, loggers.CreateLogger<PressureLoop>());
        _loops.Add(pressure.RunAsync(_stop.Token));
        _loops.Add(new StorageLimitLoop(() => [.. manager.Pods], directories, runtime, manager.Evict, time, loggers.CreateLogger<StorageLimitLoop>()).RunAsync(_stop.Token));
        var meter = new UsageMeter("/weft-" + options.ClusterName, new CgroupFigures(), async token => (await runtime.ListAsync(token)).Containers, time, loggers.CreateLogger<UsageMeter>());
        _loops.Add(meter.RunAsync(_stop.Token));
        var requests = mesh is null ? null : new RequestMeter(mesh.RequestsAsync, time, loggers.CreateLogger<RequestMeter>());
        if (requests is not null)
            _loops.Add(requests.RunAsync(_stop.Token));
        var parts = new ShutdownParts(
            token =>
            {
                events.Node("NodeShutdown", "Shutdown manager detected shutdown event");
                return registration.ShutDownAsync(token);
            }, () => [.. manager.Pods], manager.Find);
        Own(new ShutdownEndpoint(options.RunDir, new NodeShutdown(parts, time), loggers.CreateLogger<ShutdownEndpoint>()));
        Streams = new PodStreams(
            manager, runtime, () => meter.Current with { HasMesh = mesh is not null, Requests = requests?.Current },
            options.InspectionSocket is { } inspection ? new ProxyInspection(inspection) : null, time);
        events.Node("Starting", "Starting the node agent.");
        Log.Started(logger, options.NodeName, nodeIp, options.PodCidr);

        void OnWatchError(ApiResource resource, Exception error)
        {
            if (!_stop.IsCancellationRequested)
                Log.WatchFailed(logger, resource.ToString(), error.Message);
        }
    }

    // Null: the mesh is off, and what an earlier run with it has left is taken away.
    private async Task<MeshPods?> StartMeshAsync(
        NodeAgentOptions options, ServiceNetwork network, PodDirectories directories, KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (options.MeshSocket is not { } socket)
        {
            await PodCapture.NoneAsync(network, cancellationToken);
            return null;
        }
        var namespaces = new Informer<Namespace>(client.For<Namespace>(), time, random, onError);
        _loops.Add(namespaces.RunAsync(_stop.Token));
        // One that was just made may come later than the pods in it.
        return Own(await MeshPods.StartAsync(
            network, socket, directories, async (name, token) => namespaces.Cache.Find(new ObjectKey("", name)) ?? await client.For<Namespace>().GetAsync(new ObjectKey("", name), token), time, loggers, cancellationToken));
    }

    internal static ProcessRuntimeOptions RuntimeOptions(NodeAgentOptions options) => new()
    {
        ClusterName = options.ClusterName,
        DataDir = options.DataDir,
        RunDir = options.RunDir,
        PodCidr = options.PodCidr,
        ClusterCidr = options.ClusterCidr ?? options.PodCidr,
        HiddenPaths = options.HiddenPaths,
    };

    internal static ServiceNetwork ServiceNetwork(NodeAgentOptions options) =>
        new(options.ClusterName, options.NodeName, options.PodCidr, options.ClusterCidr ?? options.PodCidr, options.ServiceCidr ?? "10.96.0.0/16");

    internal static CriRuntimeOptions ContainerOptions(NodeAgentOptions options)
    {
        var processes = RuntimeOptions(options);
        return new()
        {
            ClusterName = options.ClusterName,
            DataDir = options.DataDir,
            RunDir = options.RunDir,
            Network = ProcessSandboxes.NetworkOptions(processes),
            Mirror = options.ImageMirror,
        };
    }

    private T Own<T>(T part) where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>Stops the agent. Pods run on, and are found by the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops);
        for (var i = _parts.Count - 1; i >= 0; i--)
            await _parts[i].DisposeAsync();
        _parts.Clear();
        _loops.Clear();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Node {Node} ({Address}) runs pods in {PodCidr}", EventName = nameof(Started))]
        public static partial void Started(ILogger logger, string node, string address, string podCidr);

        [LoggerMessage(LogLevel.Warning, "Watch of {Resource} failed and is opened again: {Cause}", EventName = nameof(WatchFailed))]
        public static partial void WatchFailed(ILogger logger, string resource, string cause);
    }
}

/// <summary>The machine lacks something; the message says what to do.</summary>
public sealed class NodeStartException(string message, Exception? inner = null) : Exception(message, inner);
