using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Verbs;

/// <summary>DELETE of a collection: each object that the selectors choose, by the same rules as a single delete. One that is gone meanwhile is no error.</summary>
internal sealed class DeleteCollectionVerb(ObjectReader reader, ObjectDeleter deleter, WriteVerbs verbs)
{
    public async Task HandleAsync(ApiRequest request, ResourceInfo resource)
    {
        var options = ListOptions.Read(request.Query, watch: false);
        var selection = Selection.Read(request.Query, resource, reader.IndexOf(resource));
        var (removal, dryRun) = await DeleteOptionsReader.ReadAsync(request);
        var ns = resource.Namespaced ? request.Info.Namespace : "";
        var page = await reader.ListAsync(resource, ns, selection, options, request.Aborted);

        var items = new JsonArray();
        foreach (var entry in page.Items)
        {
            var context = verbs.Context(request, resource) with { Name = Keys.NameOf(entry.Key), DryRun = dryRun };
            try
            {
                var removed = await deleter.DeleteAsync(context, removal, request.Aborted);
                items.Add(ObjectCodec.ToTree(resource, removed.Object));
            }
            catch (ApiException e) when (e.Status.Reason == "NotFound")
            {
                // Someone else deleted it after the list.
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
}
