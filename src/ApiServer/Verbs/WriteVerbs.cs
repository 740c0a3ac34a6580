using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>create, update and delete of one object.</summary>
internal sealed class WriteVerbs(ObjectWriter writer, ObjectDeleter deleter, TimeProvider time)
{
    public async Task CreateAsync(ApiRequest request, ResourceInfo resource)
    {
        var context = Context(request, resource);
        if (resource.Namespaced && context.Namespace.Length == 0)
            throw Statuses.BadRequest("an empty namespace may not be set during creation");
        var tree = await Bodies.ReadObjectAsync(request, resource.Kind, duplicates => Conform.ReportDuplicates(context, duplicates));
        Conform.ReportUnknown(context, tree);
        await ReplyAsync(request, resource, await writer.CreateAsync(context, tree, request.Aborted), 201);
    }

    public async Task UpdateAsync(ApiRequest request, ResourceInfo resource)
    {
        var context = Context(request, resource);
        var tree = await Bodies.ReadObjectAsync(request, resource.Kind, duplicates => Conform.ReportDuplicates(context, duplicates));
        Conform.ReportUnknown(context, tree);
        if (Metadata.ResourceVersion(tree).Length == 0 && !AllowsUnconditionalUpdate(resource))
            throw Statuses.Invalid(resource.Kind, context.Name, [Api.FieldError.Invalid("metadata.resourceVersion", "0", "must be specified for an update")]);
        var stored = await writer.UpdateAsync(context, Demands.None, _ => new ValueTask<JsonObject>((JsonObject)tree.DeepClone()), request.Aborted);
        await ReplyAsync(request, resource, stored, 200);
    }

    public async Task DeleteAsync(ApiRequest request, ResourceInfo resource)
    {
        var (removal, dryRun) = await DeleteOptionsReader.ReadAsync(request);
        var context = Context(request, resource) with { DryRun = dryRun };
        var removed = await deleter.DeleteAsync(context, removal, request.Aborted);
        if (removed.Gone && !ReturnsObject(resource))
        {
            await ResponseWriter.WriteStatusAsync(request, Statuses.Deleted(resource.Resource, context.Name, removed.Uid), 200);
            return;
        }

        // 202 tells a client that asked for a foreground delete that the object is still there.
        var accepted = !removed.Gone && removal.Propagation == "Foreground";
        await ReplyAsync(request, resource, removed.Object, accepted ? 202 : 200);
    }

    public WriteContext Context(ApiRequest request, ResourceInfo resource) =>
        new(resource, request.User, resource.Namespaced ? request.Info.Namespace : "", request.Info.Name, time.GetUtcNow())
        {
            Subresource = request.Info.Subresource,
            DryRun = request.Info.Verb is not ("delete" or "deletecollection") && request.ReadDryRun(),
            Validation = Bodies.Validation(request),
            FieldManager = request.ManagerName,
            Warn = request.Warn,
        };

    public async Task ReplyAsync(ApiRequest request, ResourceInfo resource, Stored stored, int code)
    {
        var presenter = Presenter.For(request, resource, time.GetUtcNow());
        var output = new System.Buffers.ArrayBufferWriter<byte>(stored.Value.Length + 64);
        presenter.WriteObject(output, stored);
        await ResponseWriter.WriteAsync(request, presenter.Format, output.WrittenMemory, code);
    }

    // The kinds whose strategy in Kubernetes refuses a PUT that does not say which version it replaces.
    private static bool AllowsUnconditionalUpdate(ResourceInfo resource) =>
        !resource.IsCustom && resource.Resource is not ({ Group: "coordination.k8s.io", Resource: "leases" } or { Group: "apiextensions.k8s.io" });

    // The kinds for which Kubernetes answers the deleted object in place of a Status.
    private static bool ReturnsObject(ResourceInfo resource) =>
        resource.Resource is { Group: "", Resource: "pods" or "services" or "serviceaccounts" or "persistentvolumeclaims" or "podtemplates" or "resourcequotas" };
}
