using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>DELETE of a collection: each object that the selectors choose, by the same rules as a single delete. One that is gone meanwhile is no error.</summary>
internal sealed class DeleteCollectionVerb(ObjectReader reader, ObjectDeleter deleter, WriteVerbs verbs)
{
    // The store commits together what arrives together: one at a time would wait for the disk as often as there are objects.
    private const int AtOnce = 32;

    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var options = ListOptions.Read(request.Query, watch: false);
        var selection = Selection.Read(request.Query, resource, reader.IndexOf(resource));
        var (removal, dryRun) = await DeleteOptionsReader.ReadAsync(request);
        var ns = resource.Namespaced ? request.Info.Namespace : "";
        var page = await reader.ListAsync(resource, ns, selection, options, request.Aborted);

        var items = new JsonArray();
        var context = verbs.Context(request, resource) with { DryRun = dryRun };
        foreach (var group in page.Items.Chunk(AtOnce))
        {
            foreach (var removed in await Task.WhenAll(group.Select(entry => DeleteAsync(context, entry, removal, request.Aborted))))
            {
                if (removed is { } one)
                    items.Add(ObjectCodec.ToTree(resource, one.Object));
            }
        }

        var list = new JsonObject
        {
            ["kind"] = resource.ListKind,
            ["apiVersion"] = resource.Kind.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = Revisions.Text(page.Revision) },
            ["items"] = items,
        };
        await ResponseWriter.WriteTreeAsync(request, OutputFormat.Negotiate(request.Http.Request.Headers.Accept) with { Shape = OutputShape.Object }, list);
    }

    private async Task<Removed?> DeleteAsync(WriteContext context, Entry entry, Removal removal, CancellationToken cancellationToken)
    {
        var (ns, name) = Keys.Split(context.Resource, entry.Key);
        try
        {
            return await deleter.DeleteAsync(context with { Namespace = ns, Name = name }, removal, cancellationToken);
        }
        catch (ApiException e) when (e.Status.Reason == "NotFound")
        {
            return null; // someone else deleted it after the list
        }
    }
}
