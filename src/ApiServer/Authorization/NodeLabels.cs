using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Authorization;

/// <summary>
/// Which of its own labels a node may set. Pods are placed by labels, so a captured node must not draw those of others to itself: of Kubernetes' own prefixes
/// a node has only the labels that a kubelet reports (the NodeRestriction page of the Kubernetes documentation lists them).
/// </summary>
internal static class NodeLabels
{
    private static readonly FrozenSet<string> Reported = FrozenSet.ToFrozenSet(
    [
        "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os",
        "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
    ]);

    public static bool MaySet(string label)
    {
        var slash = label.IndexOf('/');
        if (slash < 0 || Reported.Contains(label))
            return true;
        var prefix = label[..slash];
        return IsIn(prefix, "node.kubernetes.io") || IsIn(prefix, "kubelet.kubernetes.io") || !(IsIn(prefix, "kubernetes.io") || IsIn(prefix, "k8s.io"));
    }

    /// <summary>The labels that a write adds, changes or removes.</summary>
    public static IEnumerable<string> Changed(JsonObject next, JsonObject? old)
    {
        var (after, before) = (Of(next), Of(old));
        return after.Select(label => label.Key).Union(before.Select(label => label.Key)).Where(key => !JsonNode.DeepEquals(after[key], before[key]));
    }

    private static JsonObject Of(JsonObject? tree) => tree?["metadata"]?["labels"] as JsonObject ?? [];

    private static bool IsIn(string prefix, string domain) => prefix == domain || prefix.EndsWith("." + domain, StringComparison.Ordinal);
}
