using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class AutoscalingColumns
{
    // As kubectl: more targets than this are counted.
    private const int Shown = 2;

    internal static ColumnList HorizontalPodAutoscaler(string version) => new()
    {
        ColumnList.NameColumn,
        { "Reference", "The workload", a => $"{Text(Object(a, "spec", "scaleTargetRef"), "kind")}/{Text(Object(a, "spec", "scaleTargetRef"), "name")}" },
        { "Targets", "What is measured, and what it should be", version == "v1" ? CpuTarget : Targets },
        { "MinPods", "Fewest copies", a => Scalar(Object(a, "spec")?["minReplicas"]) is { Length: > 0 } least ? least : "<unset>" },
        { "MaxPods", "Most copies", a => Number(Object(a, "spec"), "maxReplicas") },
        { "Replicas", "Copies when it last looked", a => Number(Object(a, "status"), "currentReplicas") },
        ColumnList.AgeColumn,
    };

    internal static ColumnList Usage() => new()
    {
        ColumnList.NameColumn,
        { "CPU", "CPU in use", m => Sum(m, "cpu") },
        { "Memory", "Memory in use", m => Sum(m, "memory") },
        { "Window", "How long the CPU was measured", m => Text(m, "window") },
    };

    private static string CpuTarget(JsonObject autoscaler) =>
        Scalar(Object(autoscaler, "spec")?["targetCPUUtilizationPercentage"]) is { Length: > 0 } target
            ? $"cpu: {(Scalar(Object(autoscaler, "status")?["currentCPUUtilizationPercentage"]) is { Length: > 0 } current ? current + "%" : Unknown)}/{target}%"
            : None;

    private static string Targets(JsonObject autoscaler)
    {
        var current = Objects(Object(autoscaler, "status"), "currentMetrics");
        var all = Objects(Object(autoscaler, "spec"), "metrics").Select((metric, index) => Target(metric, index < current.Count ? current[index] : null)).ToList();
        if (all.Count == 0)
            return None;
        var text = string.Join(", ", all.Take(Shown));
        return all.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $"{text} + {all.Count - Shown} more...") : text;
    }

    private const string Unknown = "<unknown>";

    private static string Target(JsonObject metric, JsonObject? status)
    {
        var type = Text(metric, "type");
        var member = type.Length == 0 ? "" : char.ToLowerInvariant(type[0]) + type[1..];
        var (target, current) = (Object(metric, member, "target"), Object(status, member, "current"));
        var name = type is "Resource" or "ContainerResource" ? Text(Object(metric, member), "name") + ": " : "";
        // What stands for all pods together is compared as it is; for a metric of something else the share of each pod is marked.
        return target?["averageUtilization"] is { } utilization
            ? $"{name}{Percent(current?["averageUtilization"])}/{Scalar(utilization)}%"
            : target?["averageValue"] is { } average
                ? $"{name}{Amount(current?["averageValue"])}/{Scalar(average)}{(type is "Object" or "External" ? " (avg)" : "")}"
                : $"{name}{Amount(current?["value"])}/{Scalar(target?["value"])}";
    }

    private static string Percent(JsonNode? value) => value is null ? Unknown : Scalar(value) + "%";

    private static string Amount(JsonNode? value) => value is null ? Unknown : Scalar(value);

    private static string Sum(JsonObject metrics, string name)
    {
        var sum = Quantity.Zero;
        foreach (var usage in Object(metrics, "usage") is { } own ? [own] : Objects(metrics, "containers").Select(container => Object(container, "usage")))
        {
            if (Quantity.TryParse(Scalar(usage?[name]), out var amount))
                sum += amount;
        }
        return sum.ToString();
    }
}
