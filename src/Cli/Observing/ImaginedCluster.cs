using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Cli.Observing;

/// <summary>
/// What a cluster would make of manifests: a pod for each Deployment and its like, ready and with an address; addresses of services, and their endpoints. Pure.
/// </summary>
/// <param name="Pods">Names of pods by namespace and name of what made them.</param>
public sealed record ImaginedCluster(IReadOnlyList<JsonObject> Objects, IReadOnlyDictionary<(string Namespace, string Name), string> Pods)
{
    private static readonly HashSet<string> Makers = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];

    public static ImaginedCluster Of(IEnumerable<JsonObject> documents, string defaultNamespace)
    {
        var objects = documents.SelectMany(tree => tree["items"] is JsonArray items ? items.OfType<JsonObject>().Select(item => (JsonObject)item.DeepClone()) : [tree]).ToList();
        var names = new Dictionary<(string, string), string>();
        var pods = new List<JsonObject>();
        foreach (var tree in objects)
        {
            var (kind, place, name) = (tree["kind"].AsText() ?? "", Place(tree), tree["metadata"]?["name"].AsText() ?? "");
            if (kind == "Pod")
                pods.Add(tree);
            else if (Makers.Contains(kind) && tree["spec"]?["template"] is JsonObject template)
                pods.Add(PodOf(template, place, names[(place, name)] = $"{name}-pod"));
        }

        foreach (var (i, pod) in pods.Index())
        {
            pod["spec"] ??= new JsonObject();
            pod["spec"]!["nodeName"] ??= "node-1";
            pod["status"] ??= new JsonObject();
            // 10.244.0.0/16 is the range of pods that clusters have by default.
            pod["status"]!["podIP"] ??= string.Create(CultureInfo.InvariantCulture, $"10.244.{i / 250}.{(i % 250) + 2}");
            pod["status"]!["podIPs"] ??= new JsonArray(new JsonObject { ["ip"] = pod["status"]!["podIP"].AsText() });
            pod["status"]!["phase"] ??= "Running";
        }

        var services = objects.Where(tree => tree["kind"].AsText() == "Service").ToList();
        foreach (var (i, service) in services.Index())
        {
            if (service["spec"] is JsonObject spec && spec["type"].AsText() != "ExternalName")
                spec["clusterIP"] ??= string.Create(CultureInfo.InvariantCulture, $"10.96.{i / 250}.{(i % 250) + 2}");
        }

        var slices = services.Where(service => !objects.Any(tree => tree["kind"].AsText() == "EndpointSlice" && Place(tree) == Place(service) && tree["metadata"]?["labels"]?["kubernetes.io/service-name"].AsText() == service["metadata"]?["name"].AsText()))
            .Select(service => SliceOf(service, [.. pods.Where(pod => Place(pod) == Place(service))])).OfType<JsonObject>().ToList();
        return new([.. objects.Where(tree => tree["kind"].AsText() != "Pod"), .. pods, .. slices], names);

        string Place(JsonObject tree) => tree["metadata"]?["namespace"].AsText() is { Length: > 0 } own ? own : defaultNamespace;
    }

    private static JsonObject PodOf(JsonObject template, string place, string name)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = template["metadata"]?.DeepClone() ?? new JsonObject(), ["spec"] = template["spec"]?.DeepClone() ?? new JsonObject(),
        };
        pod["metadata"]!["name"] = name;
        pod["metadata"]!["namespace"] = place;
        return pod;
    }

    // Null: its endpoints are somebody else's to say.
    private static JsonObject? SliceOf(JsonObject service, IReadOnlyList<JsonObject> pods)
    {
        if (service["spec"]?["selector"] is not JsonObject { Count: > 0 } selector || service["spec"]?["ports"] is not JsonArray ports || service["metadata"]?["name"].AsText() is not { } name)
            return null;
        var chosen = pods.Where(pod => selector.All(label => pod["metadata"]?["labels"]?[label.Key].AsText() == label.Value.AsText())).ToList();
        var endpoints = chosen.Select(pod => (JsonNode)new JsonObject
        {
            ["addresses"] = new JsonArray(pod["status"]!["podIP"].AsText()), ["conditions"] = new JsonObject { ["ready"] = true }, ["nodeName"] = pod["spec"]!["nodeName"].AsText(),
            ["targetRef"] = new JsonObject { ["kind"] = "Pod", ["name"] = pod["metadata"]!["name"].AsText(), ["namespace"] = pod["metadata"]!["namespace"].AsText() },
        });
        var slice = new JsonObject
        {
            ["apiVersion"] = "discovery.k8s.io/v1", ["kind"] = "EndpointSlice", ["addressType"] = "IPv4",
            ["metadata"] = new JsonObject { ["name"] = $"{name}-pods", ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = name } },
            ["endpoints"] = new JsonArray([.. endpoints]),
            ["ports"] = new JsonArray([.. ports.OfType<JsonObject>().Select(port => (JsonNode)new JsonObject { ["name"] = port["name"].AsText() ?? "", ["protocol"] = port["protocol"].AsText() ?? "TCP", ["port"] = TargetOf(port, chosen) })]),
        };
        if (service["metadata"]?["namespace"].AsText() is { } place)
            slice["metadata"]!["namespace"] = place;
        return slice;
    }

    private static int TargetOf(JsonObject port, IEnumerable<JsonObject> pods)
    {
        var target = port["targetPort"] ?? port["port"];
        if (target is JsonValue value && value.TryGetValue<int>(out var number))
            return number;
        var named = pods.SelectMany(pod => pod["spec"]?["containers"] as JsonArray ?? []).SelectMany(container => container?["ports"] as JsonArray ?? []).FirstOrDefault(one => one?["name"].AsText() == target.AsText());
        return named?["containerPort"] is JsonValue own && own.TryGetValue<int>(out var found) ? found : port["port"] is JsonValue same && same.TryGetValue<int>(out var plain) ? plain : 80;
    }
}
