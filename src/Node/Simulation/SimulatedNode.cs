using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Client;

namespace Weft.Node.Simulation;

/// <summary>What simulated nodes and the pods on them look like. Pure.</summary>
internal static class SimulatedNode
{
    /// <summary>Told apart from real nodes by it; they get no range of pod addresses.</summary>
    public const string Label = "weft.dev/simulated";
    private const string Prefix = "sim-";

    public static string Name(int number) => Prefix + number.ToString("0000", CultureInfo.InvariantCulture);

    /// <summary>The number in a simulated node's name; null when it is none.</summary>
    public static int? Number(string? name) =>
        name is not null && name.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && Name(number) == name ? number : null;

    /// <summary>A middling machine of a cloud, in three zones.</summary>
    public static Api.Core.Node Make(int number, string version, DateTimeOffset now)
    {
        var name = Name(number);
        var capacity = new Dictionary<string, Quantity>
        {
            ["cpu"] = Quantity.FromUnits(16), ["memory"] = Quantity.Parse("64Gi"), ["pods"] = Quantity.FromUnits(110), ["ephemeral-storage"] = Quantity.Parse("100Gi"),
        };
        return new Api.Core.Node
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Labels = new Dictionary<string, string>
                {
                    [Label] = "true",
                    ["kubernetes.io/hostname"] = name,
                    ["kubernetes.io/os"] = "linux",
                    ["kubernetes.io/arch"] = "amd64",
                    ["topology.kubernetes.io/zone"] = "sim-" + (char)('a' + (number % 3)),
                    ["node.kubernetes.io/instance-type"] = "weft-simulated",
                },
            },
            Status = new NodeStatus
            {
                Capacity = capacity,
                Allocatable = capacity,
                Conditions =
                [
                    Condition("MemoryPressure", "False", "Simulated"), Condition("DiskPressure", "False", "Simulated"), Condition("PIDPressure", "False", "Simulated"),
                    Condition("Ready", "True", "Simulated"),
                ],
                Addresses = [new NodeAddress { Type = "Hostname", Address = name }],
                NodeInfo = new NodeSystemInfo
                {
                    KubeletVersion = version, KubeProxyVersion = version, OperatingSystem = "linux", Architecture = "amd64",
                    ContainerRuntimeVersion = "simulated://1", OsImage = "simulated", KernelVersion = "simulated",
                },
            },
        };

        NodeCondition Condition(string type, string status, string reason) => new()
        {
            Type = type, Status = status, Reason = reason, Message = "this node is played by weft up --simulate", LastHeartbeatTime = now, LastTransitionTime = now,
        };
    }

    /// <summary>What a kubelet would report of the pod an instant after it started; null when it says so already.</summary>
    public static Patch? Started(Pod pod, string address, DateTimeOffset now)
    {
        if (pod.Status.Phase is "Running" or "Succeeded" or "Failed")
            return null;
        var status = new PodStatus
        {
            Phase = "Running",
            StartTime = now,
            HostIP = "127.0.0.1",
            PodIP = address,
            PodIPs = [new PodIP { Ip = address }],
            Conditions = [.. new[] { "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready" }.Select(type => new PodCondition { Type = type, Status = "True", LastTransitionTime = now })],
            InitContainerStatuses = [.. pod.Spec.InitContainers.Select(container => new ContainerStatus
            {
                Name = container.Name, Image = container.Image ?? "", Ready = true,
                State = new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = 0, Reason = "Completed", StartedAt = now, FinishedAt = now } },
            })],
            ContainerStatuses = [.. pod.Spec.Containers.Select(container => new ContainerStatus
            {
                Name = container.Name, Image = container.Image ?? "", Ready = true, Started = true, ContainerID = $"simulated://{pod.Metadata.Uid}/{container.Name}",
                State = new ContainerState { Running = new ContainerStateRunning { StartedAt = now } },
            })],
        };
        return Patch.Strategic(new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid }, ["status"] = ApiJson.ToTree(status) });
    }
}
