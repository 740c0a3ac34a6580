using System.Text;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Autoscaling;

/// <summary>
/// autoscaling/v1 is a second form of the stored v2 objects. What v1 has no field for travels in Kubernetes' own annotations, in the shapes of v1
/// (<see cref="LegacyMetrics"/>), so that an object that is read and written back in v1 loses nothing.
/// </summary>
internal static class AutoscalerForms
{
    private const string Prefix = "autoscaling.alpha.kubernetes.io/";
    private const string Metrics = Prefix + "metrics", Behavior = Prefix + "behavior";
    private const string CurrentMetrics = Prefix + "current-metrics", Conditions = Prefix + "conditions";

    private static readonly string[] OfStatus = [CurrentMetrics, Conditions];

    /// <param name="newer">The schema of v2: what annotations hold is as free as text, and is cut to it.</param>
    public static StoredForm StoredAs(Schema newer) => new(
        new GroupVersionResource("autoscaling", "v2", "horizontalpodautoscalers"),
        tree =>
        {
            ToV2(tree);
            Pruner.Prune(tree, newer);
            Pruner.DropNulls(tree, newer);
        },
        ToV1);

    /// <summary>Annotations that do not hold what their names say.</summary>
    public static IEnumerable<FieldError> Unreadable(Field annotations)
    {
        foreach (var name in (string[])[Metrics, Behavior, CurrentMetrics, Conditions])
        {
            var annotation = annotations.At(name);
            if (annotation.Text is not { } text)
                continue;
            var json = Read(text);
            if (json is { Duplicates: [var twice, ..] })
                yield return annotation.Invalid($"duplicate field \"{twice}\"");
            else if (name == Behavior ? json?.Root is not JsonObject : json?.Root is not JsonArray)
                yield return annotation.Invalid(name == Behavior ? "must be a JSON object" : "must be a JSON list");
        }
    }

    /// <summary>A client cannot set the status at creation, in annotations neither.</summary>
    public static void DropStatus(JsonObject metadata)
    {
        foreach (var name in OfStatus)
            Take(metadata, name);
    }

    /// <summary>Gives an update the half of the status that stands in annotations.</summary>
    public static void KeepStatus(JsonObject metadata, JsonObject? old)
    {
        foreach (var name in OfStatus)
        {
            var kept = old.Object("annotations")?[name]?.DeepClone();
            if (kept is not null && metadata.Ensure("annotations") is { } annotations)
                annotations[name] = kept;
            else if (kept is null)
                Take(metadata, name);
        }
    }

    private static void ToV1(JsonObject tree)
    {
        tree["apiVersion"] = "autoscaling/v1";
        if (tree["metadata"] is not JsonObject metadata)
            return;
        if (tree["spec"] is JsonObject spec)
        {
            if (TakeCpu(spec, "metrics") is { } cpu)
                spec["targetCPUUtilizationPercentage"] = cpu.At("resource", "target", "averageUtilization")?.DeepClone();
            Put(metadata, Metrics, LegacyMetrics.FromSpecs(spec["metrics"] as JsonArray));
            Put(metadata, Behavior, spec["behavior"]);
            spec.Remove("metrics");
            spec.Remove("behavior");
        }
        if (tree["status"] is JsonObject status)
        {
            if (TakeCpu(status, "currentMetrics") is { } cpu)
                status["currentCPUUtilizationPercentage"] = cpu.At("resource", "current", "averageUtilization")?.DeepClone();
            status.Default("currentReplicas", 0);
            Put(metadata, CurrentMetrics, LegacyMetrics.FromStatuses(status["currentMetrics"] as JsonArray));
            Put(metadata, Conditions, status["conditions"]);
            status.Remove("currentMetrics");
            status.Remove("conditions");
        }
    }

    private static void ToV2(JsonObject tree)
    {
        tree["apiVersion"] = "autoscaling/v2";
        if (tree["metadata"] is not JsonObject metadata)
            return;
        var (metrics, behavior) = (Take(metadata, Metrics), Take(metadata, Behavior));
        var (current, conditions) = (Take(metadata, CurrentMetrics), Take(metadata, Conditions));
        if (tree["spec"] is JsonObject spec)
        {
            var list = LegacyMetrics.ToSpecs(metrics as JsonArray);
            if (new Field(spec["targetCPUUtilizationPercentage"], "").Number is { } percent)
                list.Insert(0, AutoscalerDefaults.CpuUtilization(percent));
            spec.Remove("targetCPUUtilizationPercentage");
            spec["metrics"] = list;
            if (behavior is JsonObject)
                spec["behavior"] = behavior;
            AutoscalerDefaults.Apply(spec);
        }
        if (tree["status"] is JsonObject status)
        {
            var list = LegacyMetrics.ToStatuses(current as JsonArray);
            // The average that v1 has no field for stands in the annotation with the rest of the CPU's figures.
            if (new Field(status["currentCPUUtilizationPercentage"], "").Number is { } percent)
                list.Insert(0, LegacyMetrics.CpuStatus(percent));
            status.Remove("currentCPUUtilizationPercentage");
            if (list.Count > 0)
                status["currentMetrics"] = list;
            if (conditions is JsonArray { Count: > 0 })
                status["conditions"] = conditions;
        }
    }

    /// <summary>The first metric that v1 has a field for, out of the list.</summary>
    private static JsonObject? TakeCpu(JsonObject parent, string name)
    {
        var (list, member) = (parent[name] as JsonArray, name == "metrics" ? "target" : "current");
        var cpu = list?.OfType<JsonObject>().FirstOrDefault(metric => metric.At("resource", "name").AsText() == "cpu" && metric.At("resource", member, "averageUtilization") is not null);
        if (cpu is not null)
            list!.Remove(cpu);
        return cpu;
    }

    private static void Put(JsonObject metadata, string name, JsonNode? value)
    {
        if (value is JsonArray { Count: > 0 } or JsonObject { Count: > 0 } && metadata.Ensure("annotations") is { } annotations)
            annotations[name] = value.ToJsonString();
        else
            Take(metadata, name);
    }

    private static JsonNode? Take(JsonObject metadata, string name)
    {
        if (metadata["annotations"] is not JsonObject annotations || annotations[name].AsText() is not { } text)
            return null;
        annotations.Remove(name);
        if (annotations.Count == 0)
            metadata.Remove("annotations");
        return Parse(text);
    }

    private static JsonNode? Parse(string text) => Read(text)?.Root;

    private static ParsedTree? Read(string text)
    {
        try
        {
            return JsonTree.Parse(Encoding.UTF8.GetBytes(text));
        }
        catch (TreeException)
        {
            return null;
        }
    }
}
