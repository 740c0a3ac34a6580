using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>create on what is answered and never stored.</summary>
internal sealed class VirtualVerb(IReadOnlyList<IVirtualResource> virtuals, ObjectReader reader)
{
    public bool Serves(ResourceInfo resource, string subresource) => Find(resource, subresource) is not null;

    public async Task CreateAsync(ApiRequest request, ResourceInfo resource)
    {
        var info = request.Info;
        var server = Find(resource, info.Subresource) ?? throw Statuses.NoSuchPath();
        var kind = info.Subresource.Length == 0
            ? resource.Kind
            : resource.Subresources.FirstOrDefault(sub => sub.Name == info.Subresource)?.Kind ?? throw Statuses.NoSuchPath();
        var body = await Bodies.ReadObjectAsync(request, kind, _ => { });
        if (info.Subresource.Length == 0)
            Pruner.Prune(body, resource.Schema);

        var parent = info.Subresource.Length == 0 ? null : ObjectCodec.ToTree(resource, await reader.GetAsync(resource, resource.Namespaced ? info.Namespace : "", info.Name, null, request.Aborted));
        var answer = await server.CreateAsync(new VirtualRequest(request.User, info, body, parent, request.ReadDryRun()), request.Aborted);
        var format = OutputFormat.Negotiate(request.Http.Request.Headers.Accept) with { Shape = OutputShape.Object };
        await ResponseWriter.WriteTreeAsync(request, format, answer, 201);
    }

    private IVirtualResource? Find(ResourceInfo resource, string subresource) =>
        virtuals.FirstOrDefault(server => server.Serves(resource.Resource, subresource));
}
