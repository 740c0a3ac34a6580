using System.Text.Json.Nodes;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class ClusterColumns
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    internal static ColumnList Node() => new()
    {
        ColumnList.NameColumn,
        { "Status", "Whether it takes pods", NodeStatus },
        { "Roles", "Roles by its labels", NodeRoles },
        ColumnList.AgeColumn,
        { "Version", "Version of the node agent", n => Text(Object(n, "status", "nodeInfo"), "kubeletVersion") },
        new Wide("Internal-IP", "Address inside the cluster", n => Address(n, "InternalIP")),
        new Wide("External-IP", "Address outside", n => Address(n, "ExternalIP")),
        new Wide("OS-Image", "Operating system", n => Text(Object(n, "status", "nodeInfo"), "osImage", "<unknown>")),
        new Wide("Kernel-Version", "Kernel", n => Text(Object(n, "status", "nodeInfo"), "kernelVersion", "<unknown>")),
        new Wide("Container-Runtime", "Container runtime", n => Text(Object(n, "status", "nodeInfo"), "containerRuntimeVersion", "<unknown>")),
    };

    internal static ColumnList Namespace() => new()
    {
        ColumnList.NameColumn,
        { "Status", "Active or Terminating", n => Text(Object(n, "status"), "phase") },
        ColumnList.AgeColumn,
    };

    internal static ColumnList Event() => new()
    {
        { "Last Seen", "Time since it last happened", LastSeen },
        { "Type", "Normal or Warning", e => Text(e, "type") },
        { "Reason", "Why, for a machine", e => Text(e, "reason") },
        { "Object", "What it is about", Target },
        new Wide("Subobject", "Which part of it", e => Text(About(e), "fieldPath")),
        new Wide("Source", "Who reported it", Source),
        { "Message", "What happened", e => Text(e, "message", Text(e, "note")).Trim() },
        new WideAt("First Seen", "Time since it first happened", FirstSeen),
        new Wide("Count", "How often", e => Count(e).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        new Wide("Name", "Name of the event", e => Text(Object(e, "metadata"), "name")),
    };

    internal static ColumnList Lease() => new()
    {
        ColumnList.NameColumn,
        { "Holder", "Who holds it", l => Text(Object(l, "spec"), "holderIdentity") },
        ColumnList.AgeColumn,
    };

    internal static ColumnList PriorityClass() => new()
    {
        ColumnList.NameColumn,
        { "Value", "Priority of its pods", p => Number(p, "value") },
        { "Global-Default", "Whether pods without a class get it", p => Flag(p, "globalDefault") },
        ColumnList.AgeColumn,
        { "PreemptionPolicy", "Whether its pods push others out", p => Text(p, "preemptionPolicy", "PreemptLowerPriority") },
    };

    internal static ColumnList RuntimeClass() => new()
    {
        ColumnList.NameColumn,
        { "Handler", "Which runtime runs the pods", r => Text(r, "handler") },
        ColumnList.AgeColumn,
    };

    private static string NodeStatus(JsonObject node)
    {
        var ready = Text(Condition(node, "Ready"), "status");
        var status = ready switch { "True" => "Ready", "" => "Unknown", _ => "NotReady" };
        return Flag(Object(node, "spec"), "unschedulable") ? status + ",SchedulingDisabled" : status;
    }

    private static string NodeRoles(JsonObject node)
    {
        var roles = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in Object(node, "metadata", "labels") ?? [])
        {
            if (key.StartsWith(RolePrefix, StringComparison.Ordinal) && key.Length > RolePrefix.Length)
                roles.Add(key[RolePrefix.Length..]);
            else if (key == "kubernetes.io/role" && Scalar(value) is { Length: > 0 } role)
                roles.Add(role);
        }

        return Joined(roles);
    }

    private static string Address(JsonObject node, string type) =>
        Text(Objects(Object(node, "status"), "addresses").FirstOrDefault(a => Text(a, "type") == type), "address", None);

    // An event of events.k8s.io calls the same things by other names.
    private static JsonObject? About(JsonObject e) => Object(e, "involvedObject") ?? Object(e, "regarding");

    private static string Target(JsonObject e)
    {
        var about = About(e);
        var kind = Text(about, "kind").ToLowerInvariant();
        var name = Text(about, "name");
        return name.Length == 0 ? kind : kind.Length == 0 ? name : $"{kind}/{name}";
    }

    private static string Source(JsonObject e)
    {
        var source = Object(e, "source") ?? Object(e, "deprecatedSource");
        var component = Text(source, "component", Text(e, "reportingComponent", Text(e, "reportingController")));
        var host = Text(source, "host", Text(e, "reportingInstance"));
        return host.Length == 0 ? component : $"{component}, {host}";
    }

    private static string FirstSeen(JsonObject e, DateTimeOffset now) =>
        HumanTime.Since(e["firstTimestamp"] ?? e["deprecatedFirstTimestamp"] ?? e["eventTime"], now);

    private static string LastSeen(JsonObject e, DateTimeOffset now) =>
        Object(e, "series")?["lastObservedTime"] is { } observed ? HumanTime.Since(observed, now)
        : (e["lastTimestamp"] ?? e["deprecatedLastTimestamp"]) is { } last ? HumanTime.Since(last, now)
        : FirstSeen(e, now);

    private static long Count(JsonObject e) =>
        Object(e, "series") is { } series ? Number(series, "count") : Math.Max(1, Number(e, "count", Number(e, "deprecatedCount")));
}
