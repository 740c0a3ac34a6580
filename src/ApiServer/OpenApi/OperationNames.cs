using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>Operation ids as Kubernetes forms them (`patchAppsV1NamespacedDeployment`): generated clients name their methods by them.</summary>
internal sealed class OperationNames(ResourceInfo resource)
{
    private readonly string _groupVersion = GroupName(resource.Resource.Group) + Capital(resource.Resource.Version);

    internal string Id(string verb, string suffix)
    {
        var (head, collection) = verb == "deleteCollection" ? ("delete", "Collection") : (verb, "");
        var scope = resource.Namespaced && suffix != "ForAllNamespaces" ? "Namespaced" : "";
        return head + _groupVersion + collection + scope + resource.Kind.Kind + suffix;
    }

    /// <summary>`apps_v1`.</summary>
    internal static string Tag(string group, string version) => Lower(GroupName(group)) + "_" + version;

    private static string GroupName(string group)
    {
        if (group.Length == 0)
            return "Core";
        var name = group.EndsWith(".k8s.io", StringComparison.Ordinal) ? group[..^".k8s.io".Length] : group;
        return string.Concat(name.Split('.', '-').Select(Capital));
    }

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    private static string Lower(string text) => char.ToLowerInvariant(text[0]) + text[1..];
}
