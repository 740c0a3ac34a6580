using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Discovery;

/// <summary>All groups in one document (apidiscovery.k8s.io), v2 and v2beta1: the two differ in their name only.</summary>
internal static class AggregatedDiscovery
{
    internal static JsonObject Document(IEnumerable<ServedGroup> groups, string version) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/" + version,
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. groups.Select(JsonNode (g) => Group(g))]),
    };

    private static JsonObject Group(ServedGroup group)
    {
        // The core group has no name, and an object without a name has no member for it.
        var metadata = new JsonObject();
        if (group.Name.Length > 0)
            metadata["name"] = group.Name;
        metadata["creationTimestamp"] = null;
        return new JsonObject { ["metadata"] = metadata, ["versions"] = new JsonArray([.. group.Versions.Select(JsonNode (v) => Version(v))]) };
    }

    private static JsonObject Version(ServedVersion version) => new()
    {
        ["version"] = version.Version,
        ["resources"] = new JsonArray([.. version.Resources.Select(JsonNode (r) => Resource(r))]),
        ["freshness"] = "Current",
    };

    private static JsonObject Resource(ResourceInfo resource)
    {
        var json = new JsonObject
        {
            ["resource"] = resource.Resource.Resource,
            ["responseKind"] = Kind(resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = LegacyDiscovery.Strings(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
            json["shortNames"] = LegacyDiscovery.Strings(resource.ShortNames);
        if (resource.Categories.Count > 0)
            json["categories"] = LegacyDiscovery.Strings(resource.Categories);
        var subresources = ServedGroups.Subresources(resource).Select(JsonNode (s) => new JsonObject
        {
            ["subresource"] = s.Name, ["responseKind"] = Kind(s.Kind), ["verbs"] = LegacyDiscovery.Strings(s.Verbs),
        }).ToArray();
        if (subresources.Length > 0)
            json["subresources"] = new JsonArray(subresources);
        return json;
    }

    private static JsonObject Kind(GroupVersionKind kind) => new() { ["group"] = kind.Group, ["version"] = kind.Version, ["kind"] = kind.Kind };
}
