using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Discovery;

/// <summary>One version of a group with its resources, by name.</summary>
internal sealed record ServedVersion(string Group, string Version, IReadOnlyList<ResourceInfo> Resources)
{
    internal string GroupVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";
}

/// <param name="Versions">The preferred one first.</param>
internal sealed record ServedGroup(string Name, IReadOnlyList<ServedVersion> Versions);

internal static class ServedGroups
{
    // Where a short name is in several groups (events), clients take the first group that has it: Kubernetes' own groups in its order, then custom ones.
    private static readonly string[] Order =
    [
        "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io",
        "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io",
        "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io",
    ];

    internal static IReadOnlyList<ServedGroup> Of(ResourceSnapshot snapshot) =>
    [
        .. snapshot.All.GroupBy(r => r.Resource.Group)
            .OrderBy(g => Array.IndexOf(Order, g.Key) is var rank && rank < 0 ? int.MaxValue : rank)
            .ThenBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new ServedGroup(g.Key,
            [
                .. g.GroupBy(r => r.Resource.Version)
                    .OrderBy(v => v.Key, VersionOrder.Instance)
                    .Select(v => new ServedVersion(g.Key, v.Key, [.. v.OrderBy(r => r.Resource.Resource, StringComparer.Ordinal)])),
            ])),
    ];

    /// <summary>All subresources of a resource with the kinds they speak.</summary>
    internal static IEnumerable<SubresourceInfo> Subresources(ResourceInfo resource)
    {
        var all = new List<SubresourceInfo>(resource.Subresources);
        if (resource.HasStatus && all.All(s => s.Name != "status"))
            all.Add(new SubresourceInfo("status", resource.Kind, ["get", "patch", "update"]));
        if (resource.Scale is not null && all.All(s => s.Name != "scale"))
            all.Add(new SubresourceInfo("scale", new Api.GroupVersionKind("autoscaling", "v1", "Scale"), ["get", "patch", "update"]));
        return all.OrderBy(s => s.Name, StringComparer.Ordinal);
    }
}
