using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>GET of one object: its stored bytes, in the shape asked for.</summary>
internal sealed class GetVerb(ObjectReader reader, WriteVerbs reply)
{
    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var info = request.Info;
        var revision = Revisions.Parse(request.Query.Last("resourceVersion"));
        await reply.ReplyAsync(request, resource, await reader.GetAsync(resource, resource.Namespaced ? info.Namespace : "", info.Name, revision, request.Aborted), 200);
    }
}
