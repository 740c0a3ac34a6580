using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Client;
using Weft.Control.FrontDoor;
using Weft.Control.Lifecycle;
using Weft.Control.Networking;
using Weft.Control.Runtime;
using Weft.Control.Storage;
using Weft.Control.Workloads;

namespace Weft.Control;

/// <summary>What the controllers need to know of the cluster.</summary>
public sealed record ControllersOptions
{
    /// <summary>PEM of the authority that signed the API server's certificate: goes into every namespace.</summary>
    public required string CertificateAuthorityPem { get; init; }

    /// <summary>Addresses of all pods: each node is given a part. Null: nodes bring their own (`spec.podCIDR`).</summary>
    public IPNetwork? ClusterCidr { get; init; }

    /// <summary>When a silent node counts as lost.</summary>
    public NodeGrace NodeGrace { get; init; } = NodeGrace.Default;

    /// <summary>Addresses for LoadBalancer services, such as 10.97.0.0/20. Null: another part of the cluster gives them.</summary>
    public string? LoadBalancerPool { get; init; }

    /// <summary>Where what is compiled for the front door is found. Null: this cluster has none.</summary>
    public FrontDoorBoard? FrontDoor { get; init; }
}

/// <summary>All controllers of the cluster, running.</summary>
public sealed partial class Controllers : IAsyncDisposable
{
    // The collector may read everything anyway; its watches serve all. Writing is each controller's own right.
    private const string Reader = "generic-garbage-collector";

    private readonly CancellationTokenSource _stopping = new();
    private readonly List<KubeClient> _clients = [];
    private readonly List<EventRecorder> _recorders = [];
    private readonly List<IControllerLoop> _loops = [];
    private Task _running = Task.CompletedTask;

    private Controllers(Informers informers) => Informers = informers;

    /// <summary>The one list of controllers: name of the service account, and how it is made.</summary>
    private static IEnumerable<(string Account, Func<ControllerTools, IControllerLoop> Create)> Parts(ControllersOptions options) =>
    [
        ("replicaset-controller", ReplicaSetController.Create),
        ("deployment-controller", DeploymentController.Create),
        ("statefulset-controller", StatefulSetController.Create),
        ("daemon-set-controller", DaemonSetController.Create),
        ("job-controller", JobController.Create),
        ("cronjob-controller", CronJobController.Create),
        ("disruption-controller", BudgetController.Create),
        ("horizontal-pod-autoscaler", AutoscalerController.Create),
        ("replication-controller", ReplicationControllers.Create),
        ("endpoint-controller", EndpointsController.Create),
        ("endpointslice-controller", EndpointSliceController.Create),
        .. options.LoadBalancerPool is { } pool ? [("service-controller", (Func<ControllerTools, IControllerLoop>)(tools => LoadBalancerController.Create(tools, pool)))] : Array.Empty<(string, Func<ControllerTools, IControllerLoop>)>(),
        .. options.FrontDoor is { } door ? [("front-door-controller", (Func<ControllerTools, IControllerLoop>)(tools => FrontDoorController.Create(tools, door)))] : Array.Empty<(string, Func<ControllerTools, IControllerLoop>)>(),
        ("namespace-controller", NamespaceController.Create),
        ("generic-garbage-collector", GarbageCollector.Create),
        ("node-controller", tools => NodeLifecycleController.Create(tools, options.NodeGrace)),
        .. options.ClusterCidr is { } cluster
            ? [("node-ipam-controller", (Func<ControllerTools, IControllerLoop>)(tools => NodeRangeController.Create(tools, cluster)))]
            : Array.Empty<(string, Func<ControllerTools, IControllerLoop>)>(),
        ("resourcequota-controller", QuotaController.Create),
        ("pod-garbage-collector", PodGarbageController.Create),
        ("persistent-volume-binder", StorageController.Create),
        ("ephemeral-volume-controller", EphemeralClaimController.Create),
        ("service-account-controller", ServiceAccountController.Create),
        ("root-ca-cert-publisher", tools => RootCertificateController.Create(tools, options.CertificateAuthorityPem)),
    ];

    /// <summary>The shared caches, for whoever else reads the cluster in this process.</summary>
    public Informers Informers { get; }

    /// <summary>How each controller is doing: a loop that hangs is visible here.</summary>
    public IReadOnlyList<ControllerHealth> Health => [.. _loops.Select(loop => loop.Health)];

    /// <summary>The name under which a controller acts.</summary>
    public static string IdentityOf(string account) => $"system:serviceaccount:kube-system:{account}";

    /// <summary>Starts all controllers; they are at work when this returns, and wait by themselves for a server that is not there yet.</summary>
    /// <param name="handlerOf">A way to the API server as the named user (`system:serviceaccount:kube-system:...`).</param>
    public static async Task<Controllers> StartAsync(
        Func<string, HttpMessageHandler> handlerOf, ControllersOptions options, TimeProvider time, Random random, ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var watching = loggers.CreateLogger("Weft.Control.Watches");
        var reader = new KubeClient(handlerOf(IdentityOf(Reader)), time, Reader);
        var informers = new Informers(reader, time, random, (resource, error) => Log.WatchFailed(watching, resource, error.Message));
        var controllers = new Controllers(informers);
        controllers._clients.Add(reader);
        foreach (var (account, create) in Parts(options))
        {
            var logger = loggers.CreateLogger("Weft.Control." + account);
            var client = new KubeClient(handlerOf(IdentityOf(account)), time, account);
            var recorder = new EventRecorder(client, account, time, logger);
            controllers._clients.Add(client);
            controllers._recorders.Add(recorder);
            controllers._loops.Add(create(new ControllerTools(account, client, informers, recorder, time, random, logger)));
        }

        var stopping = controllers._stopping.Token;
        informers.Start(stopping);
        try
        {
            // A controller that acts on half a cache sees missing objects that are not missing.
            await informers.SyncedAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await controllers.DisposeAsync();
            throw;
        }

        controllers._running = Task.WhenAll(controllers._loops.Select(loop => loop.RunAsync(stopping)));
        return controllers;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await Informers.StoppedAsync();
        foreach (var recorder in _recorders)
            await recorder.DisposeAsync();
        foreach (var loop in _loops.OfType<IDisposable>())
            loop.Dispose();
        foreach (var client in _clients)
            client.Dispose();
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The watch on {Resource} failed and starts again: {Reason}", EventName = nameof(WatchFailed))]
        public static partial void WatchFailed(ILogger logger, ApiResource resource, string reason);
    }
}
