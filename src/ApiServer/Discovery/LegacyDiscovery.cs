using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Discovery;

/// <summary>The discovery documents of Kubernetes before 1.26: one for each group and version.</summary>
internal static class LegacyDiscovery
{
    internal static JsonObject ApiVersions(ServedGroup? core) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray([.. (core?.Versions ?? []).Select(JsonNode (v) => v.Version)]),
        // Clients use the address they came by.
        ["serverAddressByClientCIDRs"] = new JsonArray(),
    };

    internal static JsonObject GroupList(IEnumerable<ServedGroup> groups) => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. groups.Where(g => g.Name.Length > 0).Select(JsonNode (g) => GroupBody(g, []))]),
    };

    internal static JsonObject Group(ServedGroup group) => GroupBody(group, new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" });

    internal static JsonObject ResourceList(ServedVersion version)
    {
        var resources = new JsonArray();
        foreach (var resource in version.Resources)
        {
            resources.Add(Resource(resource));
            foreach (var subresource in ServedGroups.Subresources(resource))
                resources.Add(Subresource(resource, subresource));
        }

        return new JsonObject
        {
            ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = version.GroupVersion, ["resources"] = resources,
        };
    }

    private static JsonObject GroupBody(ServedGroup group, JsonObject into)
    {
        into["name"] = group.Name;
        into["versions"] = new JsonArray([.. group.Versions.Select(JsonNode (v) => Version(v))]);
        into["preferredVersion"] = Version(group.Versions[0]);
        return into;
    }

    private static JsonObject Version(ServedVersion version) => new() { ["groupVersion"] = version.GroupVersion, ["version"] = version.Version };

    private static JsonObject Resource(ResourceInfo resource)
    {
        var json = new JsonObject
        {
            ["name"] = resource.Resource.Resource,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind.Kind,
            ["verbs"] = Strings(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
            json["shortNames"] = Strings(resource.ShortNames);
        if (resource.Categories.Count > 0)
            json["categories"] = Strings(resource.Categories);
        return json;
    }

    private static JsonObject Subresource(ResourceInfo resource, SubresourceInfo subresource)
    {
        var json = new JsonObject
        {
            ["name"] = $"{resource.Resource.Resource}/{subresource.Name}",
            ["singularName"] = "",
            ["namespaced"] = resource.Namespaced,
        };
        // Said only where it is not the group and version of the document.
        if (subresource.Kind.Group != resource.Resource.Group || subresource.Kind.Version != resource.Resource.Version)
        {
            json["group"] = subresource.Kind.Group;
            json["version"] = subresource.Kind.Version;
        }

        json["kind"] = subresource.Kind.Kind;
        json["verbs"] = Strings(subresource.Verbs);
        return json;
    }

    internal static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(JsonNode (v) => v)]);
}
