using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.CustomResources;

/// <summary>The stored objects of one custom kind.</summary>
internal sealed class CrdInstances(IStore store, JsonObject definition, TimeProvider time)
{
    // A page is one burst of commits; the store groups them.
    private const int PageSize = 500;

    private readonly string _prefix = $"/registry/{definition.At("spec", "group").AsText()}/{definition.At("spec", "names", "plural").AsText()}/";

    /// <summary>Returns when no object is left: those with finalizers are marked for deletion and waited for.</summary>
    public async Task EmptyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var page = await store.ListAsync(_prefix, limit: PageSize, cancellationToken: cancellationToken);
            if (page.Entries.Count == 0)
                return;

            var held = 0;
            foreach (var entry in page.Entries)
                held += await DeleteAsync(entry, cancellationToken) ? 0 : 1;
            // Only those that wait are left on a full page: the next change among them is what there is to wait for.
            if (held == page.Entries.Count)
                await NextChangeAsync(page.Revision, cancellationToken);
        }
    }

    /// <returns>False when something still holds the object. A lost race counts as progress: the next round looks again.</returns>
    private async ValueTask<bool> DeleteAsync(Entry entry, CancellationToken cancellationToken)
    {
        var envelope = Envelope.Read(entry.Value);
        var tree = envelope.Parse(0);
        if (Finalizers.Of(tree).Count == 0)
        {
            await store.CommitAsync(new[] { Op.Delete(entry.Key, Expect.At(entry.ModRevision)) }, cancellationToken);
            return true;
        }
        if (Metadata.IsBeingDeleted(tree))
            return false;

        var metadata = Metadata.Of(tree);
        metadata["deletionTimestamp"] = Metadata.Time(time.GetUtcNow());
        metadata["deletionGracePeriodSeconds"] = 0;
        var version = (tree["apiVersion"].AsText() ?? "").Split('/')[^1];
        await store.CommitAsync(new[] { Op.Put(entry.Key, Envelope.Write(tree, version, envelope.SchemaEpoch), Expect.At(entry.ModRevision)) }, cancellationToken);
        return true;
    }

    private async Task NextChangeAsync(long after, CancellationToken cancellationToken)
    {
        await using var watch = store.Watch(_prefix, after);
        await foreach (var batch in watch.ReadAsync(cancellationToken))
            if (batch.Changes.Count > 0)
                return;
    }
}
