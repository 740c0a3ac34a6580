using System.Globalization;
using System.Text.Json.Nodes;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class WorkloadColumns
{
    internal static ColumnList Pod() => new()
    {
        ColumnList.NameColumn,
        { "Ready", "Containers that are ready, of all", (pod, now) => PodStatusText.Of(pod, now).Ready },
        { "Status", "What the pod does or waits for", (pod, now) => PodStatusText.Of(pod, now).Status },
        { "Restarts", "How often containers were restarted, and when last", (pod, now) => PodStatusText.Of(pod, now).Restarts },
        ColumnList.AgeColumn,
        new Wide("IP", "Address of the pod", pod => Objects(Object(pod, "status"), "podIPs") is [var first, ..] ? Text(first, "ip", None) : Text(Object(pod, "status"), "podIP", None)),
        new Wide("Node", "Node that the pod is bound to", pod => Text(Object(pod, "spec"), "nodeName", None)),
        new Wide("Nominated Node", "Node that preemption makes room on", pod => Text(Object(pod, "status"), "nominatedNodeName", None)),
        new Wide("Readiness Gates", "Conditions that must hold besides the containers'", ReadinessGates),
    };

    internal static ColumnList Deployment() => new()
    {
        ColumnList.NameColumn,
        { "Ready", "Ready pods, of those wanted", d => Ratio(Number(Object(d, "status"), "readyReplicas"), Replicas(d)) },
        { "Up-to-date", "Pods of the current template", d => Number(Object(d, "status"), "updatedReplicas") },
        { "Available", "Pods ready for minReadySeconds", d => Number(Object(d, "status"), "availableReplicas") },
        ColumnList.AgeColumn,
        Containers(),
        Images(),
        Selector(),
    };

    internal static ColumnList ReplicaSet() => new()
    {
        ColumnList.NameColumn,
        { "Desired", "Pods wanted", Replicas },
        { "Current", "Pods there are", rs => Number(Object(rs, "status"), "replicas") },
        { "Ready", "Pods that are ready", rs => Number(Object(rs, "status"), "readyReplicas") },
        ColumnList.AgeColumn,
        Containers(),
        Images(),
        Selector(),
    };

    internal static ColumnList ReplicationController() => new()
    {
        ColumnList.NameColumn,
        { "Desired", "Pods wanted", Replicas },
        { "Current", "Pods there are", rc => Number(Object(rc, "status"), "replicas") },
        { "Ready", "Pods that are ready", rc => Number(Object(rc, "status"), "readyReplicas") },
        ColumnList.AgeColumn,
        Containers(),
        Images(),
        new Wide("Selector", "Labels of the pods", rc => Labels(Object(rc, "spec", "selector"))),
    };

    internal static ColumnList StatefulSet() => new()
    {
        ColumnList.NameColumn,
        { "Ready", "Ready pods, of those wanted", s => Ratio(Number(Object(s, "status"), "readyReplicas"), Replicas(s)) },
        ColumnList.AgeColumn,
        Containers(),
        Images(),
    };

    internal static ColumnList DaemonSet() => new()
    {
        ColumnList.NameColumn,
        { "Desired", "Nodes that should have the pod", d => Number(Object(d, "status"), "desiredNumberScheduled") },
        { "Current", "Nodes that have it", d => Number(Object(d, "status"), "currentNumberScheduled") },
        { "Ready", "Nodes whose pod is ready", d => Number(Object(d, "status"), "numberReady") },
        { "Up-to-date", "Nodes with the pod of the current template", d => Number(Object(d, "status"), "updatedNumberScheduled") },
        { "Available", "Nodes whose pod was ready for minReadySeconds", d => Number(Object(d, "status"), "numberAvailable") },
        { "Node Selector", "Labels of the nodes", d => Labels(Object(d, "spec", "template", "spec", "nodeSelector")) },
        ColumnList.AgeColumn,
        Containers(),
        Images(),
        Selector(),
    };

    internal static ColumnList ControllerRevision() => new()
    {
        ColumnList.NameColumn,
        { "Controller", "Who made the revision", Controller },
        { "Revision", "Its number", r => Number(r, "revision") },
        ColumnList.AgeColumn,
    };

    internal static Wide Containers() => new("Containers", "Names of the containers", w => Joined(TemplateContainers(w).Select(c => Text(c, "name")), ""));

    internal static Wide Images() => new("Images", "Images of the containers", w => Joined(TemplateContainers(w).Select(c => Text(c, "image")), ""));

    internal static Wide Selector() => new("Selector", "Label selector of the pods", w => Cells.Selector(Object(w, "spec", "selector")));

    private static IReadOnlyList<JsonObject> TemplateContainers(JsonObject workload) => Objects(Object(workload, "spec", "template", "spec"), "containers");

    private static long Replicas(JsonObject workload) => Number(Object(workload, "spec"), "replicas");

    private static string Ratio(long part, long all) => string.Create(CultureInfo.InvariantCulture, $"{part}/{all}");

    private static string Controller(JsonObject revision)
    {
        var owner = Objects(Object(revision, "metadata"), "ownerReferences").FirstOrDefault(o => Flag(o, "controller"));
        if (owner is null)
            return None;
        var kind = Text(owner, "kind").ToLowerInvariant();
        var version = Text(owner, "apiVersion");
        var slash = version.IndexOf('/');
        return slash < 0 ? $"{kind}/{Text(owner, "name")}" : $"{kind}.{version[..slash]}/{Text(owner, "name")}";
    }

    private static string ReadinessGates(JsonObject pod)
    {
        var gates = Objects(Object(pod, "spec"), "readinessGates");
        if (gates.Count == 0)
            return None;
        var open = gates.Count(g => Text(Condition(pod, Text(g, "conditionType")), "status") == "True");
        return Ratio(open, gates.Count);
    }
}
