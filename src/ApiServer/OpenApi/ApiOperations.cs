using Weft.Api;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>The operations of all resources of a version, from what discovery says of them.</summary>
internal static class ApiOperations
{
    private static readonly ApiParameter Pretty = new("pretty", "string", "If 'true', the output is indented.");
    private static readonly ApiParameter DryRun = new("dryRun", "string", "All: go through every stage of the request, but store nothing.");
    private static readonly ApiParameter FieldManager = new("fieldManager", "string", "Name of the program that makes the change; owns the fields it sets.");
    private static readonly ApiParameter FieldValidation = new("fieldValidation", "string", "What unknown and duplicate fields are: Ignore, Warn or Strict (an error).");
    private static readonly ApiParameter Force = new("force", "boolean", "Take over fields that others own. Only for an apply patch.");

    private static readonly ApiParameter[] WriteQuery = [Pretty, DryRun, FieldManager, FieldValidation];
    private static readonly ApiParameter[] PatchQuery = [.. WriteQuery, Force];

    private static readonly ApiParameter[] ListQuery =
    [
        Pretty,
        new("allowWatchBookmarks", "boolean", "Send bookmarks now and then in a watch."),
        new("continue", "string", "Token of the previous page."),
        new("fieldSelector", "string", "Only objects whose fields match."),
        new("labelSelector", "string", "Only objects whose labels match."),
        new("limit", "integer", "Largest number of objects in a page."),
        new("resourceVersion", "string", "Revision to read at or watch from."),
        new("resourceVersionMatch", "string", "How resourceVersion is meant in a list: Exact or NotOlderThan."),
        new("sendInitialEvents", "boolean", "Begin a watch with all objects there are."),
        new("timeoutSeconds", "integer", "End a list or watch after this time."),
        new("watch", "boolean", "Stream the changes instead of listing."),
    ];

    private static readonly ApiParameter[] DeleteQuery =
    [
        Pretty, DryRun,
        new("gracePeriodSeconds", "integer", "Seconds until the object is removed by force; 0 for at once."),
        new("orphanDependents", "boolean", "Deprecated: use propagationPolicy."),
        new("propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
    ];

    private static readonly string[] BuiltInPatches =
    [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    ];

    private static readonly string[] CustomPatches = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
    private static readonly string[] AnyType = ["*/*"];

    internal static IEnumerable<ApiOperation> Of(ServedVersion version) =>
        version.Resources.SelectMany(Of).OrderBy(o => o.Path, StringComparer.Ordinal).ThenBy(o => o.Method, StringComparer.Ordinal);

    private static IEnumerable<ApiOperation> Of(ResourceInfo resource)
    {
        var names = new OperationNames(resource);
        var root = Root(resource);
        var scoped = resource.Namespaced ? $"{root}/namespaces/{{namespace}}/{resource.Resource.Resource}" : $"{root}/{resource.Resource.Resource}";
        var kind = DefinitionNames.Of(resource);
        var list = DefinitionNames.ListOf(resource);
        var verbs = resource.Verbs;
        ApiOperation Make(string path, string method, string action, string verb, string suffix, string? body, string? answer, ApiParameter[] query, params string[] consumes) =>
            new(path, method, action, names.Id(verb, suffix), $"{verb} {resource.Kind.Kind}", resource.Kind, body, answer) { Query = query, Consumes = consumes };

        if (resource.Namespaced && verbs.Contains("list"))
            yield return Make($"{root}/{resource.Resource.Resource}", "get", "list", "list", "ForAllNamespaces", null, list, ListQuery);
        if (verbs.Contains("list"))
            yield return Make(scoped, "get", "list", "list", "", null, list, ListQuery);
        if (verbs.Contains("create"))
            yield return Make(scoped, "post", "post", "create", "", kind, kind, WriteQuery, AnyType);
        if (verbs.Contains("deletecollection"))
            yield return Make(scoped, "delete", "deletecollection", "deleteCollection", "", MetaDefinitions.DeleteOptions, MetaDefinitions.Status, [.. ListQuery, .. DeleteQuery[1..]], AnyType);

        var item = scoped + "/{name}";
        if (verbs.Contains("get"))
            yield return Make(item, "get", "get", "read", "", null, kind, [Pretty]);
        if (verbs.Contains("update"))
            yield return Make(item, "put", "put", "replace", "", kind, kind, WriteQuery, AnyType);
        if (verbs.Contains("patch"))
            yield return Make(item, "patch", "patch", "patch", "", MetaDefinitions.Patch, kind, PatchQuery, resource.IsCustom ? CustomPatches : BuiltInPatches);
        if (verbs.Contains("delete"))
            yield return Make(item, "delete", "delete", "delete", "", MetaDefinitions.DeleteOptions, MetaDefinitions.Status, DeleteQuery, AnyType);

        foreach (var subresource in ServedGroups.Subresources(resource))
        {
            foreach (var operation in Of(resource, subresource, names, item))
                yield return operation;
        }
    }

    private static IEnumerable<ApiOperation> Of(ResourceInfo resource, SubresourceInfo subresource, OperationNames names, string item)
    {
        var path = $"{item}/{subresource.Name}";
        var suffix = char.ToUpperInvariant(subresource.Name[0]) + subresource.Name[1..];
        var definition = DefinitionNames.OfSubresource(resource, subresource);
        // A subresource without a kind of its own in the definitions (log, exec) speaks plain streams.
        var connects = definition is null;
        ApiOperation Make(string method, string action, string verb, string? body, ApiParameter[] query, params string[] consumes) =>
            new(path, method, connects ? "connect" : action, names.Id(verb, suffix), $"{verb} {subresource.Name} of {resource.Kind.Kind}", subresource.Kind, body, definition)
            {
                Query = query, Consumes = consumes,
            };

        if (subresource.Verbs.Contains("get"))
            yield return Make("get", "get", connects ? "connectGet" : "read", null, [Pretty]);
        if (subresource.Verbs.Contains("create"))
            yield return Make("post", "post", connects ? "connectPost" : "create", definition, connects ? [] : WriteQuery, AnyType);
        if (subresource.Verbs.Contains("update"))
            yield return Make("put", "put", "replace", definition, WriteQuery, AnyType);
        if (subresource.Verbs.Contains("patch"))
            yield return Make("patch", "patch", "patch", MetaDefinitions.Patch, PatchQuery, resource.IsCustom ? CustomPatches : BuiltInPatches);
    }

    private static string Root(ResourceInfo resource) => resource.Resource.Group.Length == 0
        ? $"/api/{resource.Resource.Version}"
        : $"/apis/{resource.Resource.Group}/{resource.Resource.Version}";
}
