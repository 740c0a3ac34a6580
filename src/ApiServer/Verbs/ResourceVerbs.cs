using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;
using Weft.ApiServer.Usage;
using Weft.ApiServer.Watch;

namespace Weft.ApiServer.Verbs;

/// <summary>The verbs of a main resource; which of them a resource has, it says itself.</summary>
internal sealed class ResourceVerbs(GetVerb get, ListVerb list, WatchVerb watch, WriteVerbs write, PatchVerb patch, DeleteCollectionVerb deleteCollection, VirtualVerb virtuals, LiveVerb live)
{
    public Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var verb = request.Info.Verb;
        if (!resource.Verbs.Contains(verb))
            throw Statuses.MethodNotAllowed();
        if (resource.IsLive)
            return live.HandleAsync(request, resource);
        if (verb == "create" && virtuals.Serves(resource, ""))
            return virtuals.CreateAsync(request, resource);
        return verb switch
        {
            "get" => get.HandleAsync(request, resource),
            "list" => list.HandleAsync(request, resource),
            "watch" => watch.HandleAsync(request, resource),
            "create" when request.Info.Name.Length == 0 => write.CreateAsync(request, resource),
            "update" when request.Info.Name.Length > 0 => write.UpdateAsync(request, resource),
            "patch" when request.Info.Name.Length > 0 => patch.HandleAsync(request, resource),
            "delete" => write.DeleteAsync(request, resource),
            "deletecollection" => deleteCollection.HandleAsync(request, resource),
            _ => throw Statuses.MethodNotAllowed(),
        };
    }
}
