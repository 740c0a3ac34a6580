using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Tests.Scheduling;

/// <summary>Small objects for scheduler tests.</summary>
internal static class Sample
{
    public static Node Node(string name, string cpu = "4", string memory = "8Gi", string pods = "110", params (string Key, string Value)[] labels) => new()
    {
        Metadata = new ObjectMeta { Name = name, Uid = name, Labels = Map([("kubernetes.io/hostname", name), .. labels]) },
        Status = new NodeStatus { Allocatable = Amounts([("cpu", cpu), ("memory", memory), ("pods", pods), ("ephemeral-storage", "100Gi")]) },
    };

    public static Node With(this Node node, params Taint[] taints) => node with { Spec = node.Spec with { Taints = taints } };

    public static Node Offering(this Node node, string name, string amount) =>
        node with { Status = node.Status with { Allocatable = new Dictionary<string, Quantity>(node.Status.Allocatable) { [name] = Quantity.Parse(amount) } } };

    public static Taint Taint(string key, string value, string effect = "NoSchedule") => new() { Key = key, Value = value, Effect = effect };

    public static Pod Pod(string name, string? cpu = null, string? memory = null, string @namespace = "default", params (string Key, string Value)[] labels) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = @namespace, Uid = $"{@namespace}/{name}", Labels = Map(labels) },
        Spec = new PodSpec { Containers = [Container(cpu, memory)] },
    };

    public static Container Container(string? cpu = null, string? memory = null, params (string Name, string Amount)[] others)
    {
        var requests = new List<(string, string)>(others);
        if (cpu is not null)
            requests.Add(("cpu", cpu));
        if (memory is not null)
            requests.Add(("memory", memory));
        return new Container { Name = "main", Resources = new ResourceRequirements { Requests = Amounts([.. requests]) } };
    }

    public static Pod Spec(this Pod pod, Func<PodSpec, PodSpec> change) => pod with { Spec = change(pod.Spec) };

    public static Pod Near(this Pod pod, string topologyKey, params (string Key, string Value)[] labels) => pod.Spec(spec => spec with
    {
        Affinity = new Affinity { PodAffinity = new PodAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [Term(topologyKey, labels)] } },
    });

    public static Pod Away(this Pod pod, string topologyKey, params (string Key, string Value)[] labels) => pod.Spec(spec => spec with
    {
        Affinity = new Affinity { PodAntiAffinity = new PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [Term(topologyKey, labels)] } },
    });

    public static PodAffinityTerm Term(string topologyKey, params (string Key, string Value)[] labels) =>
        new() { TopologyKey = topologyKey, LabelSelector = new LabelSelector { MatchLabels = Map(labels) } };

    public static Dictionary<string, string> Map(params (string Key, string Value)[] entries) => entries.ToDictionary(one => one.Key, one => one.Value);

    public static Dictionary<string, Quantity> Amounts(params (string Name, string Amount)[] entries) =>
        entries.ToDictionary(one => one.Name, one => Quantity.Parse(one.Amount));
}

/// <summary>A cluster to ask where a pod would go.</summary>
internal sealed class SampleCluster
{
    private readonly ResourceNames _names = new();
    private readonly SchedulerCore _core;

    public SampleCluster(params Node[] nodes)
    {
        Cache = new ClusterCache(_names);
        foreach (var node in nodes)
            Cache.SetNode(node);
        _core = new SchedulerCore(SchedulingProfile.Default(_names), Weft.Testing.Seeded.Random(1), sample: false);
    }

    public ClusterCache Cache { get; }

    public SampleCluster Running(string node, params Pod[] pods)
    {
        foreach (var pod in pods)
            Cache.SetPod(new PodInfo(pod), node);
        return this;
    }

    public SchedulingResult Ask(Pod pod) => _core.Schedule(new PodInfo(pod), Cache.Snapshot);

    /// <summary>The chosen node, or the message.</summary>
    public string Where(Pod pod) => Ask(pod) switch
    {
        SchedulingResult.Placed placed => placed.Node,
        SchedulingResult.Unschedulable unschedulable => unschedulable.Diagnosis.Message,
        _ => throw new InvalidOperationException(),
    };

    public string Place(Pod pod)
    {
        var where = Where(pod);
        if (Cache.Snapshot.Find(where) is not null)
            Cache.SetPod(new PodInfo(pod), where);
        return where;
    }
}
