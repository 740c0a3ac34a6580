using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.ApiServer.Strategies.Autoscaling;

/// <summary>Metrics as the annotations of autoscaling/v1 write them: target and current value are members of the source, named by what they are.</summary>
internal static class LegacyMetrics
{
    private static readonly string[] Averaged = ["averageUtilization", "averageValue"];

    public static JsonArray FromSpecs(JsonArray? metrics) => Each(metrics, (type, source) => From(type, source, source["target"] as JsonObject, "target"));

    public static JsonArray FromStatuses(JsonArray? metrics) => Each(metrics, (type, source) => From(type, source, source["current"] as JsonObject, "current"));

    public static JsonArray ToSpecs(JsonArray? metrics) => Each(metrics, (type, source) => To(type, source, "target"));

    public static JsonArray ToStatuses(JsonArray? metrics) => Each(metrics, (type, source) => To(type, source, "current"));

    public static JsonObject CpuStatus(long percent) => new()
    {
        ["type"] = "Resource", ["resource"] = new JsonObject { ["name"] = "cpu", ["current"] = new JsonObject { ["averageUtilization"] = percent } },
    };

    private static JsonArray Each(JsonArray? metrics, Func<string, JsonObject, JsonObject> turn)
    {
        var list = new JsonArray();
        foreach (var metric in (metrics ?? []).OfType<JsonObject>())
        {
            var type = metric.TextAt("type");
            var member = type.Length == 0 ? "" : char.ToLowerInvariant(type[0]) + type[1..];
            var turned = new JsonObject { ["type"] = type };
            if (metric[member] is JsonObject source)
                turned[member] = turn(type, source);
            list.Add(turned);
        }
        return list;
    }

    private static JsonObject From(string type, JsonObject source, JsonObject? value, string word)
    {
        var old = new JsonObject();
        Copy(source, "name", old, "name");
        Copy(source, "container", old, "container");
        Copy(source["metric"] as JsonObject, "name", old, "metricName");
        Copy(source["metric"] as JsonObject, "selector", old, Selector(type));
        // v1 calls the object "target".
        Copy(source, "describedObject", old, "target");
        foreach (var (name, legacy) in Values(type, word))
            Copy(value, name, old, legacy);
        return old;
    }

    private static JsonObject To(string type, JsonObject old, string word)
    {
        var (source, value) = (new JsonObject(), new JsonObject());
        Copy(old, "name", source, "name");
        Copy(old, "container", source, "container");
        Copy(old, "target", source, "describedObject");
        if (type is "Pods" or "Object" or "External")
        {
            var metric = new JsonObject();
            Copy(old, "metricName", metric, "name");
            Copy(old, Selector(type), metric, "selector");
            source["metric"] = metric;
        }
        foreach (var (name, legacy) in Values(type, word))
            Copy(old, legacy, value, name);
        // v1 writes a zero where an object's metric is averaged.
        if (type == "Object" && value["averageValue"] is not null && value["value"].AsText() == "0")
            value.Remove("value");
        if (word == "target")
            value.Insert(0, "type", value["averageUtilization"] is not null ? "Utilization" : value["averageValue"] is not null ? "AverageValue" : "Value");
        source[word] = value;
        return source;
    }

    private static string Selector(string type) => type == "External" ? "metricSelector" : "selector";

    // targetAverageValue, currentValue, ... ; an object's average is plain averageValue.
    private static IEnumerable<(string Name, string Legacy)> Values(string type, string word)
    {
        foreach (var name in Averaged)
            yield return (name, type == "Object" && name == "averageValue" ? name : $"{word}{char.ToUpperInvariant(name[0])}{name[1..]}");
        yield return ("value", word + "Value");
    }

    private static void Copy(JsonObject? from, string name, JsonObject to, string newName)
    {
        if (from?[name] is { } value)
            to[newName] = value.DeepClone();
    }
}
