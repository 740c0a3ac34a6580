using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Quotas;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Quotas;

/// <summary>
/// Keeps `status.used` of a namespace's quotas. What a write adds or frees is written in the same transaction as the object, on the quota as it was read:
/// so two creates can never share the last place, whoever dies in between, and nothing that is gone stays counted.
/// </summary>
internal sealed class QuotaLedger(IStore store, IResourceCatalog catalog)
{
    private static readonly GroupVersionResource Quotas = new("", "v1", "resourcequotas");

    /// <summary>The quotas' new entries. An operation of these that fails means that a quota has changed: look again.</summary>
    /// <param name="tree">Null: the object goes.</param>
    /// <param name="old">Null: it comes.</param>
    /// <exception cref="ApiException">A quota does not allow it.</exception>
    public async ValueTask<IReadOnlyList<Op>> PrepareAsync(WriteContext context, JsonObject? tree, JsonObject? old, CancellationToken cancellationToken)
    {
        if (context.Namespace.Length == 0 || catalog.Current.Find(Quotas.Group, Quotas.Version, Quotas.Resource) is not { } resource)
            return [];
        var page = await store.ListAsync(Keys.Of(resource, context.Namespace, ""), cancellationToken: cancellationToken);
        if (page.Entries.Count == 0 || tree is not null && old is not null && !MayChangeUse(context.Resource.Resource, tree, old))
            return [];

        var operations = new List<Op>();
        var change = new UseChange(context.Resource.Resource, tree, old);
        foreach (var entry in page.Entries)
        {
            var stored = ObjectCodec.ToTree(resource, Stored.Of(entry));
            if (QuotaRules.Apply(ApiJson.FromTree<ResourceQuota>(stored), change) is not { } outcome)
                continue;
            if (outcome.Refusal is { } refusal)
                throw Statuses.Forbidden(context.Resource.Resource, tree is null ? context.Name : Metadata.Name(tree), refusal);
            // A quota that itself goes or changes in this write is written once, by the write.
            if (outcome.Used.Count > 0 && entry.Key != context.Key)
                operations.Add(Op.Put(entry.Key, WithUsed(resource, stored, outcome.Used), Expect.At(entry.ModRevision)));
        }
        return operations;
    }

    // A running pod's status is written often, and mostly means nothing here.
    private static bool MayChangeUse(GroupVersionResource resource, JsonObject tree, JsonObject old) =>
        resource is { Group: "", Resource: "pods" or "services" or "persistentvolumeclaims" }
        && (!JsonNode.DeepEquals(tree["spec"], old["spec"]) || resource.Resource == "pods" && QuotaUsage.HasEnded(tree) != QuotaUsage.HasEnded(old));

    private static byte[] WithUsed(ResourceInfo resource, JsonObject quota, IReadOnlyDictionary<string, Quantity> used)
    {
        var status = quota["status"] as JsonObject ?? [];
        quota["status"] = status;
        var map = status["used"] as JsonObject ?? [];
        status["used"] = map;
        foreach (var (name, amount) in used)
            map[name] = amount.ToString();
        return ObjectCodec.ToBytes(resource, quota);
    }
}
