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

/// <summary>`pods/eviction`: a delete with the options of the Eviction. There are no disruption budgets yet that could refuse it.</summary>
internal sealed class EvictionSubresource(ObjectDeleter deleter, WriteVerbs verbs) : ISubresource
{
    private static readonly GroupVersionKind Kind = new("policy", "v1", "Eviction");

    public bool Serves(ResourceInfo resource, string subresource) => subresource == "eviction" && resource.Resource is { Group: "", Resource: "pods" };

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        if (request.Info.Verb != "create")
            throw Statuses.MethodNotAllowed();
        var eviction = await Bodies.ReadObjectAsync(request, Kind, _ => { });
        if (Metadata.Name(eviction) is { Length: > 0 } name && name != request.Info.Name)
            throw Statuses.BadRequest($"name in URL does not match name in Eviction object: {request.Info.Name} and {name}");

        var options = eviction["deleteOptions"];
        var removal = new Removal
        {
            GracePeriodSeconds = options.At("gracePeriodSeconds").AsInteger(),
            Propagation = options.At("propagationPolicy").AsText(),
            Demands = new Demands(options.At("preconditions", "uid").AsText(), options.At("preconditions", "resourceVersion").AsText()),
        };
        var dryRun = request.ReadDryRun([.. (options.At("dryRun") as JsonArray ?? []).Select(value => value.AsText() ?? "")]);
        await deleter.DeleteAsync(verbs.Context(request, resource) with { DryRun = dryRun }, removal, request.Aborted);
        await ResponseWriter.WriteStatusAsync(request, Statuses.Success() with { Code = 201 }, 201);
    }
}
