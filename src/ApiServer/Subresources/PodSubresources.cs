using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Subresources;

/// <summary>`namespaces/finalize`: how the namespace controller lets a namespace go.</summary>
internal sealed class FinalizeSubresource(WriteVerbs write) : ISubresource
{
    public bool Serves(ResourceInfo resource, string subresource) => subresource == "finalize" && resource.Resource is { Group: "", Resource: "namespaces" };

    public Task HandleAsync(ApiRequest request, ResourceInfo resource) =>
        request.Info.Verb == "update" ? write.UpdateAsync(request, resource) : throw Statuses.MethodNotAllowed();
}

/// <summary>`pods/ephemeralcontainers`: what `kubectl debug` adds to a running pod; the strategy keeps everything else.</summary>
internal sealed class EphemeralContainersSubresource(GetVerb get, WriteVerbs write, PatchVerb patch) : ISubresource
{
    public bool Serves(ResourceInfo resource, string subresource) => subresource == "ephemeralcontainers" && resource.Resource is { Group: "", Resource: "pods" };

    public Task HandleAsync(ApiRequest request, ResourceInfo resource) => request.Info.Verb switch
    {
        "get" => get.HandleAsync(request, resource),
        "update" => write.UpdateAsync(request, resource),
        "patch" => patch.HandleAsync(request, resource),
        _ => throw Statuses.MethodNotAllowed(),
    };
}
