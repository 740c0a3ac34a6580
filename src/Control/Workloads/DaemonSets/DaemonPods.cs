using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Lifecycle;
using Weft.Control.Runtime;
using Weft.Control.Scheduling.Matching;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Workloads;

/// <summary>The pods of a daemon set: bound to a node by the node's name, and tolerant of what may be wrong with a node.</summary>
internal static class DaemonPods
{
    private const string NameField = "metadata.name";

    // A daemon stays on a node that is in trouble: it may be what looks after it (Kubernetes' list).
    private static readonly (string Key, string Effect)[] Tolerated =
    [
        ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"), ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"), ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];

    public static Pod New(DaemonSet set, string node, string hash)
    {
        var template = set.Spec.Template;
        var pod = PodTemplates.NewPod(template, set.Metadata.Name ?? "", set.AsController());
        return pod with
        {
            Metadata = pod.Metadata with
            {
                Namespace = set.Metadata.Namespace,
                Labels = new Dictionary<string, string>(template.Metadata.Labels) { [RevisionPlanner.HashLabel] = hash },
            },
            Spec = template.Spec with { Affinity = OnNode(template.Spec.Affinity, node), Tolerations = Tolerations(template.Spec) },
        };
    }

    /// <summary>The node that a pod is on, or was made for.</summary>
    public static string NodeOf(Pod pod)
    {
        if (!string.IsNullOrEmpty(pod.Spec.NodeName))
            return pod.Spec.NodeName;
        return pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms
            .SelectMany(term => term.MatchFields).FirstOrDefault(field => field is { Key: NameField, Operator: "In", Values.Count: 1 })?.Values[0] ?? "";
    }

    /// <summary>Whether the node should have the pod, and whether a pod that is there may stay.</summary>
    public static (bool ShouldRun, bool MayStay) Judge(DaemonSet set, Node node, NodeInfo info)
    {
        var spec = set.Spec.Template.Spec;
        if (!string.IsNullOrEmpty(spec.NodeName) && spec.NodeName != node.Metadata.Name || NodeMatcher.Required(spec)?.Matches(info) == false)
            return (false, false);
        var tolerations = Tolerations(spec);
        var untolerated = node.Spec.Taints.Where(taint => taint.Effect is "NoSchedule" or "NoExecute" && !tolerations.Exists(one => EvictionPlanner.Tolerates(one, taint))).ToList();
        return (untolerated.Count == 0, untolerated.All(taint => taint.Effect != "NoExecute"));
    }

    public static string HashOf(Pod pod) => pod.Metadata.Labels.GetValueOrDefault(RevisionPlanner.HashLabel) ?? "";

    private static List<Toleration> Tolerations(PodSpec spec)
    {
        var all = spec.Tolerations.ToList();
        var more = spec.HostNetwork == true ? Tolerated.Append(("node.kubernetes.io/network-unavailable", "NoSchedule")) : Tolerated;
        foreach (var (key, effect) in more)
        {
            if (!all.Exists(one => one.Key == key && one.Effect == effect && one.Operator == "Exists" && one.TolerationSeconds is null))
                all.Add(new Toleration { Key = key, Operator = "Exists", Effect = effect });
        }
        return all;
    }

    // The node's name takes the place of the terms of the template: the controller has judged those.
    private static Affinity OnNode(Affinity? affinity, string node)
    {
        var nodes = (affinity?.NodeAffinity ?? new NodeAffinity()) with
        {
            RequiredDuringSchedulingIgnoredDuringExecution = new NodeSelector
            {
                NodeSelectorTerms = [new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = NameField, Operator = "In", Values = [node] }] }],
            },
        };
        return (affinity ?? new Affinity()) with { NodeAffinity = nodes };
    }
}
