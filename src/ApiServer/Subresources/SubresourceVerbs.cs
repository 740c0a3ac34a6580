using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>One subresource that the server serves itself.</summary>
internal interface ISubresource
{
    bool Serves(ResourceInfo resource, string subresource);

    /// <exception cref="ApiException">405 for a verb it does not have.</exception>
    Task HandleAsync(ApiRequest request, ResourceInfo resource);
}

/// <summary>From a subresource's name to what serves it: an own handler, a virtual resource, or one that takes over the connection.</summary>
internal sealed class SubresourceVerbs(
    IReadOnlyList<ISubresource> own, VirtualVerb virtuals, IReadOnlyList<IConnectHandler> connects, ObjectReader reader, RequestAuthorizer authorizer)
{
    public Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var name = request.Info.Subresource;
        if (request.Info.Name.Length == 0)
            throw Statuses.NoSuchPath();
        if (own.FirstOrDefault(handler => handler.Serves(resource, name)) is { } handler)
            return handler.HandleAsync(request, resource);
        if (virtuals.Serves(resource, name))
            return request.Info.Verb == "create" ? virtuals.CreateAsync(request, resource) : throw Statuses.MethodNotAllowed();
        if (resource.Resource.Group.Length == 0 && connects.FirstOrDefault(connect => connect.Serves(resource.Resource.Resource, name)) is { } connect)
            return ConnectAsync(connect, request, resource);
        throw Statuses.NoSuchPath();
    }

    private async Task ConnectAsync(IConnectHandler connect, ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb is not ("get" or "create"))
            throw Statuses.MethodNotAllowed();
        // A WebSocket is opened by GET, and a right to read is not one to run commands: whichever protocol is spoken, the session is a create.
        if (request.Info.Verb == "get")
            await authorizer.RequireAsync(request, "create");
        var pod = ObjectCodec.ToTree(resource, reader.Get(resource, request.Info.Namespace, request.Info.Name, null));
        await connect.ConnectAsync(request.Http, request.Info, pod, request.Aborted);
    }
}

/// <summary>`status`: the same verbs on the same object; the strategy keeps everything else as it was.</summary>
internal sealed class StatusSubresource(GetVerb get, WriteVerbs write, PatchVerb patch) : ISubresource
{
    public bool Serves(ResourceInfo resource, string subresource) => subresource == "status" && resource.HasStatus;

    public Task HandleAsync(ApiRequest request, ResourceInfo resource) => request.Info.Verb switch
    {
        "get" => get.HandleAsync(request, resource),
        "update" => write.UpdateAsync(request, resource),
        "patch" => patch.HandleAsync(request, resource),
        _ => throw Statuses.MethodNotAllowed(),
    };
}
