using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Http;

/// <summary>From an authorized request to the verb that serves it.</summary>
internal sealed class Dispatcher(IResourceCatalog catalog, IReadOnlyList<IPathHandler> paths, ResourceVerbs verbs, SubresourceVerbs subresources)
{
    public bool Knows(RequestInfo info) => info.IsResource && catalog.Current.Find(info.Group, info.Version, info.Resource) is not null;

    public async Task DispatchAsync(ApiRequest request)
    {
        var info = request.Info;
        if (paths.FirstOrDefault(path => path.ServesResources == info.IsResource && path.Matches(info)) is { } handler)
        {
            await handler.HandleAsync(request.Http, info, request.Aborted);
            return;
        }

        if (!info.IsResource)
            throw Statuses.NoSuchPath();

        var resource = await catalog.FindAsync(info.Group, info.Version, info.Resource, request.Aborted) ?? throw Statuses.NoSuchPath();
        CheckPlace(resource, info);
        if (resource.DeprecationWarning is { } deprecated)
            request.Warn(deprecated);
        await (info.Subresource.Length > 0 ? subresources.HandleAsync(request, resource) : verbs.HandleAsync(request, resource));
    }

    // A namespaced object has a namespace in its path, a cluster-scoped one none: else a right in one namespace would reach the whole cluster (CVE-2019-11247).
    private static void CheckPlace(ResourceInfo resource, RequestInfo info)
    {
        if (!resource.Namespaced && info.Namespace.Length > 0 && !IsNamespaceItself(resource, info))
            throw Statuses.NoSuchPath();
        if (!resource.Namespaced || info.Namespace.Length > 0)
            return;
        if (info.Verb is "get" or "update" or "patch" or "delete")
            throw Statuses.NoSuchPath();
        if (info.Verb is "create" or "deletecollection")
            throw Statuses.MethodNotAllowed();
    }

    // For authorization a namespace's own name counts as its namespace. A list takes its name from a field selector, which is no place in the path.
    private static bool IsNamespaceItself(ResourceInfo resource, RequestInfo info) =>
        resource.Resource is { Group: "", Resource: "namespaces" } && info.Name == info.Namespace && info.Verb is not ("list" or "watch" or "deletecollection");
}
