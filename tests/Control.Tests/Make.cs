using System.Globalization;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests;

/// <summary>Objects as the API server would hand them out.</summary>
internal static class Make
{
    public static readonly DateTimeOffset Now = ManualTime.Start;

    public static PodTemplateSpec Template(string image = "shop:1", string app = "shop") => new()
    {
        Metadata = new ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = app } },
        Spec = new PodSpec { Containers = [new Container { Name = "main", Image = image }] },
    };

    public static LabelSelector Select(string app = "shop") => new() { MatchLabels = new Dictionary<string, string> { ["app"] = app } };

    public static Deployment Deployment(int replicas = 3, string image = "shop:1", IntOrString? surge = null, IntOrString? unavailable = null, string name = "shop") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = "uid-" + name, Generation = 1, CreationTimestamp = Now },
        Spec = new DeploymentSpec
        {
            Replicas = replicas, Selector = Select(), Template = Template(image),
            ProgressDeadlineSeconds = 600, RevisionHistoryLimit = 10,
            Strategy = new DeploymentStrategy
            {
                Type = "RollingUpdate",
                RollingUpdate = new RollingUpdateDeployment { MaxSurge = surge ?? "25%", MaxUnavailable = unavailable ?? "25%" },
            },
        },
    };

    public static ReplicaSet ReplicaSet(int replicas = 3, string name = "web", int minReady = 0) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = "uid-" + name, Generation = 1 },
        Spec = new ReplicaSetSpec { Replicas = replicas, Selector = Select(), Template = Template(), MinReadySeconds = minReady },
    };

    public static Pod Pod(
        string name, string? node = "n1", string phase = "Running", bool ready = true, TimeSpan? age = null, TimeSpan? readyFor = null,
        int? cost = null, int restarts = 0, bool terminating = false, IObject? owner = null) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name, Namespace = "default", Uid = "uid-" + name,
            Labels = new Dictionary<string, string> { ["app"] = "shop" },
            Annotations = cost is null
                ? new Dictionary<string, string>()
                : new Dictionary<string, string> { ["controller.kubernetes.io/pod-deletion-cost"] = cost.Value.ToString(CultureInfo.InvariantCulture) },
            CreationTimestamp = Now - (age ?? TimeSpan.FromHours(1)),
            DeletionTimestamp = terminating ? Now : null,
            OwnerReferences = owner is Api.Apps.ReplicaSet set ? [set.AsController()] : [],
        },
        Spec = new PodSpec { NodeName = node },
        Status = new PodStatus
        {
            Phase = phase,
            Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False", LastTransitionTime = Now - (readyFor ?? TimeSpan.FromHours(1)) }],
            ContainerStatuses = [new ContainerStatus { Name = "main", Ready = ready, RestartCount = restarts }],
        },
    };
}
