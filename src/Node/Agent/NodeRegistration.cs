using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Coordination;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Api.Json;
using Weft.Client;
using Weft.Node.Pressure;

namespace Weft.Node.Agent;

/// <summary>
/// The Node object and its Lease. The Lease is renewed every 10 s (unless the options say otherwise) and says that the agent lives; the status is written when it changes and
/// every 5 minutes (the kubelet's figures).
/// </summary>
internal sealed partial class NodeRegistration(
    KubeClient client, NodeAgentOptions options, MachineFacts machine, string nodeIp, TimeProvider time, ILogger<NodeRegistration> logger) : IAsyncDisposable
{
    private static readonly TimeSpan StatusPeriod = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    // Of a write at its start: the pods' own time is more precious.
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    private volatile NodePressure _pressure = NodePressure.None;

    private ObjectKey Key => new("", options.NodeName);

    /// <summary>Returns when the node is in the API as Ready, with a Lease.</summary>
    public async Task RegisterAsync(CancellationToken cancellationToken)
    {
        await WriteNodeAsync(cancellationToken);
        await RenewAsync(cancellationToken);
    }

    /// <summary>Says at once that the node is short of something, or no longer.</summary>
    public Task ReportAsync(NodePressure pressure, CancellationToken cancellationToken)
    {
        _pressure = pressure;
        return WriteNodeAsync(cancellationToken);
    }

    /// <summary>From now on no pod is taken.</summary>
    public bool IsShuttingDown { get; private set; }

    /// <summary>Says that the node is going: not ready, so that nothing is sent to it. A server that cannot be reached does not keep a machine from going down.</summary>
    public async Task ShutDownAsync(CancellationToken cancellationToken)
    {
        IsShuttingDown = true;
        try
        {
            await WriteNodeAsync(cancellationToken).WaitAsync(ShutdownPatience, time, cancellationToken);
        }
        catch (Exception e) when (e is ApiStatusException or HttpRequestException or IOException or JsonException or TimeoutException)
        {
            Log.HeartbeatFailed(logger, options.NodeName, e.Message);
        }
    }

    public void Start() => _running = Task.WhenAll(LoopAsync(options.LeasePeriod, RenewAsync), LoopAsync(StatusPeriod, WriteNodeAsync));

    private async Task LoopAsync(TimeSpan period, Func<CancellationToken, Task> work)
    {
        var wait = period;
        try
        {
            while (true)
            {
                await Task.Delay(wait, time, _stop.Token);
                try
                {
                    await work(_stop.Token);
                    wait = period;
                }
                catch (Exception e) when (!_stop.IsCancellationRequested)
                {
                    // Whatever it is: without its heartbeat the node is taken for lost.
                    Log.HeartbeatFailed(logger, options.NodeName, e.Message);
                    wait = Retry;
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The agent stops.
        }
    }

    private async Task WriteNodeAsync(CancellationToken cancellationToken)
    {
        var nodes = client.For<Api.Core.Node>();
        var (labels, annotations) = (Labels(), Annotations());
        var node = await nodes.FindAsync(Key, cancellationToken);
        if (node is null)
        {
            try
            {
                node = await nodes.CreateAsync(null, new Api.Core.Node
                {
                    Metadata = new ObjectMeta { Name = options.NodeName, Labels = labels, Annotations = annotations.Where(a => a.Value is not null).ToDictionary(a => a.Key, a => a.Value!) },
                    Spec = new NodeSpec { PodCIDR = options.PodCidr, PodCIDRs = [options.PodCidr] },
                }, cancellationToken);
            }
            catch (ApiStatusException exists) when (exists.IsAlreadyExists)
            {
                node = await nodes.GetAsync(Key, cancellationToken);
            }
        }

        // Own labels are kept right; those of others stay.
        if (labels.Any(l => node.Metadata.Labels.GetValueOrDefault(l.Key) != l.Value) || annotations.Any(a => node.Metadata.Annotations.GetValueOrDefault(a.Key) != a.Value))
        {
            node = await nodes.PatchAsync(Key, Patch.Merge(new JsonObject
            {
                ["metadata"] = new JsonObject { ["labels"] = JsonSerializer.SerializeToNode(labels), ["annotations"] = JsonSerializer.SerializeToNode(annotations) },
            }), cancellationToken);
        }

        if (string.IsNullOrEmpty(node.Spec.PodCIDR))
            node = await nodes.PatchAsync(Key, Patch.Merge(new JsonObject { ["spec"] = new JsonObject { ["podCIDR"] = options.PodCidr, ["podCIDRs"] = new JsonArray(options.PodCidr) } }), cancellationToken);
        await nodes.PatchStatusAsync(Key, Patch.Strategic(new JsonObject { ["status"] = ApiJson.ToTree(Status(node)) }), cancellationToken);
    }

    // Written after the rules of the capture were set, or taken away: the agent registers later.
    // Null: taken away.
    private Dictionary<string, string?> Annotations() => new(options.Annotations.Select(a => KeyValuePair.Create(a.Key, (string?)a.Value)))
    {
        [MeshMembership.NodeAnnotation] = options.MeshSocket is null ? MeshMembership.OffNode : MeshMembership.OnNode,
        [MeshMembership.MetricsAnnotation] = options.MeshSocket is null ? null : string.Create(CultureInfo.InvariantCulture, $"{Network.HostLink.Gateway(options.PodCidr)}:{MeshMembership.MetricsPort}"),
    };

    private Dictionary<string, string> Labels() => new(options.Labels)
    {
        ["kubernetes.io/hostname"] = options.NodeName,
        ["kubernetes.io/os"] = "linux",
        ["kubernetes.io/arch"] = Architecture,
        ["beta.kubernetes.io/os"] = "linux",
        ["beta.kubernetes.io/arch"] = Architecture,
        ["node.kubernetes.io/instance-type"] = "weft",
    };

    private static string Architecture => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private NodeStatus Status(Api.Core.Node node)
    {
        var now = time.GetUtcNow();
        var capacity = new Dictionary<string, Quantity>
        {
            ["cpu"] = Quantity.FromUnits(machine.Cpus),
            ["memory"] = Quantity.Parse((machine.MemoryBytes / 1024).ToString(CultureInfo.InvariantCulture) + "Ki"),
            ["pods"] = Quantity.FromUnits(options.MaxPods),
            ["ephemeral-storage"] = Quantity.Parse((MachineFacts.DiskBytes(options.DataDir) / 1024).ToString(CultureInfo.InvariantCulture) + "Ki"),
        };
        return new NodeStatus
        {
            Capacity = capacity,
            Allocatable = capacity,
            Conditions =
            [
                Pressure("MemoryPressure", _pressure.Memory, ("KubeletHasInsufficientMemory", "node has insufficient memory available"), ("KubeletHasSufficientMemory", "node has sufficient memory available")),
                Pressure("DiskPressure", _pressure.Disk, ("KubeletHasDiskPressure", "node has disk pressure"), ("KubeletHasNoDiskPressure", "node has no disk pressure")),
                Pressure("PIDPressure", _pressure.Processes, ("KubeletHasInsufficientPID", "node has insufficient PID available"), ("KubeletHasSufficientPID", "node has sufficient PID available")),
                IsShuttingDown
                    ? Condition("Ready", false, "KubeletNotReady", "node is shutting down")
                    : Condition("Ready", true, "KubeletReady", "the node agent is posting ready status"),
            ],
            Addresses = [new NodeAddress { Type = "InternalIP", Address = nodeIp }, new NodeAddress { Type = "Hostname", Address = options.NodeName }],
            NodeInfo = new NodeSystemInfo
            {
                MachineID = machine.MachineId,
                SystemUUID = machine.MachineId,
                BootID = machine.BootId,
                KernelVersion = machine.Kernel,
                OsImage = machine.OsImage,
                ContainerRuntimeVersion = machine.RuntimeVersion,
                KubeletVersion = options.Version,
                KubeProxyVersion = options.Version,
                OperatingSystem = "linux",
                Architecture = Architecture,
            },
        };

        NodeCondition Pressure(string type, bool value, (string Reason, string Message) bad, (string Reason, string Message) good) =>
            Condition(type, value, value ? bad.Reason : good.Reason, value ? bad.Message : good.Message);

        NodeCondition Condition(string type, bool value, string reason, string message)
        {
            var status = value ? "True" : "False";
            var old = node.Status.Conditions.FirstOrDefault(c => c.Type == type);
            return new NodeCondition
            {
                Type = type, Status = status, Reason = reason, Message = message, LastHeartbeatTime = now,
                LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now,
            };
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        const string Namespace = "kube-node-lease";
        var leases = client.For<Lease>();
        var key = new ObjectKey(Namespace, options.NodeName);
        var now = ApiJson.ToTree(new LeaseSpec { HolderIdentity = options.NodeName, LeaseDurationSeconds = Math.Max(1, (int)(4 * options.LeasePeriod).TotalSeconds), RenewTime = new MicroTime(time.GetUtcNow()) });
        try
        {
            await leases.PatchAsync(key, Patch.Merge(new JsonObject { ["spec"] = now }), cancellationToken);
        }
        catch (ApiStatusException missing) when (missing.IsNotFound)
        {
            try
            {
                await leases.CreateAsync(Namespace, new Lease { Metadata = new ObjectMeta { Name = options.NodeName, Namespace = Namespace }, Spec = ApiJson.FromTree<LeaseSpec>(now) }, cancellationToken);
            }
            catch (ApiStatusException early) when (early.IsNotFound)
            {
                // The namespace of leases is made by the server's own start; the next renewal finds it.
                Log.HeartbeatFailed(logger, options.NodeName, early.Message);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Node {Node} could not report that it lives: {Cause}", EventName = nameof(HeartbeatFailed))]
        public static partial void HeartbeatFailed(ILogger logger, string node, string cause);
    }
}
