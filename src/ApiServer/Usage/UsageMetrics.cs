using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Json;
using Weft.Api.Metrics;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Usage;

/// <summary>metrics.k8s.io: what nodes and pods use now. A node is believed about its own pods only.</summary>
public sealed class UsageMetrics(NodeReadings readings, StoredObjects objects) : ILiveResource
{
    public bool Serves(GroupVersionResource resource) => resource is { Group: "metrics.k8s.io", Resource: "nodes" or "pods" };

    public async ValueTask<IReadOnlyList<JsonObject>> ListAsync(GroupVersionResource resource, string ns, CancellationToken cancellationToken)
    {
        var round = await readings.ReadAsync(cancellationToken);
        var (stored, _) = await objects.ListAsync("", resource.Resource, ns, cancellationToken);
        return resource.Resource == "nodes" ? Nodes(stored, round) : Pods(stored, round);
    }

    private static IReadOnlyList<JsonObject> Nodes(IReadOnlyList<JsonObject> nodes, Readings round) =>
    [
        .. from node in nodes
           let sample = round.Nodes.GetValueOrDefault(Metadata.Name(node))?.Node
           where sample is not null
           select ApiJson.ToTree(new NodeMetrics
           {
               Metadata = Meta(node, round.At), Timestamp = sample.At, Window = Window(sample), Usage = Usage(sample),
           }),
    ];

    private static List<JsonObject> Pods(IReadOnlyList<JsonObject> pods, Readings round)
    {
        var byNode = round.Nodes.ToDictionary(pair => pair.Key, pair => ByUid(pair.Value), StringComparer.Ordinal);
        var list = new List<JsonObject>();
        foreach (var pod in pods)
        {
            if (byNode.GetValueOrDefault(pod.At("spec", "nodeName").AsText() ?? "")?.GetValueOrDefault(Metadata.Uid(pod)) is not { Containers.Count: > 0 } usage)
                continue;
            // Of a pod's containers the oldest reading counts: no figure is newer than what is said.
            var oldest = usage.Containers.MinBy(container => container.Usage.At)!.Usage;
            list.Add(ApiJson.ToTree(new PodMetrics
            {
                Metadata = Meta(pod, round.At), Timestamp = oldest.At, Window = Window(oldest),
                Containers = [.. usage.Containers.Select(container => new ContainerMetrics { Name = container.Name, Usage = Usage(container.Usage) })],
            }));
        }
        return list;
    }

    private static Dictionary<string, PodSamples> ByUid(NodeUsage node)
    {
        var pods = new Dictionary<string, PodSamples>(StringComparer.Ordinal);
        foreach (var pod in node.Pods)
            pods[pod.Uid] = pod;
        return pods;
    }

    private static ObjectMeta Meta(JsonObject tree, DateTimeOffset now) => new()
    {
        Name = Metadata.Name(tree), Namespace = Metadata.Namespace(tree) is { Length: > 0 } ns ? ns : null, CreationTimestamp = now,
        Labels = (tree.At("metadata", "labels") as JsonObject ?? []).ToDictionary(label => label.Key, label => label.Value.AsText() ?? ""),
    };

    private static Dictionary<string, Quantity> Usage(UsageSample sample) => new()
    {
        ["cpu"] = Quantity.Parse(string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, sample.NanoCores)}n")),
        ["memory"] = Quantity.Parse(string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, sample.MemoryBytes) / 1024}Ki")),
    };

    // metav1.Duration: Go's form.
    private static string Window(UsageSample sample) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(sample.Window.TotalSeconds, 3)}s");
}
