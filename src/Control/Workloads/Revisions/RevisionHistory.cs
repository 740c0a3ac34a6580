using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Selectors;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>Carries out what <see cref="RevisionPlanner"/> finds.</summary>
internal sealed class RevisionHistory(CachedResource<ControllerRevision> revisions, OwnedObjects<ControllerRevision> owned)
{
    public static RevisionHistory Of(ControllerTools tools)
    {
        var resource = tools.Resource<ControllerRevision>();
        return new RevisionHistory(resource, new OwnedObjects<ControllerRevision>(resource));
    }

    public async Task<IReadOnlyList<ControllerRevision>> ClaimAsync<T>(T owner, LabelQuery selector, Func<CancellationToken, Task<bool>> isLive, CancellationToken cancellationToken)
        where T : IObject =>
        await owned.ClaimAsync(owner, selector, isLive, cancellationToken);

    /// <returns>The revision of the template as it stands in the cluster; null when another has its name, and the collision count must grow.</returns>
    public async Task<ControllerRevision?> EnsureAsync<T>(
        T owner, PodTemplateSpec template, IReadOnlyList<ControllerRevision> present, int? collisions, CancellationToken cancellationToken) where T : IObject
    {
        var plan = RevisionPlanner.Plan(owner, template, present, collisions);
        switch (plan.Write)
        {
            case RevisionWrite.Create:
                try
                {
                    return await revisions.CreateAsync(owner.Metadata.Namespace ?? "", plan.Update, cancellationToken);
                }
                catch (ApiStatusException there) when (there.IsAlreadyExists)
                {
                    var existing = await revisions.FindLiveAsync(plan.Update.Key(), cancellationToken);
                    if (existing is not null && existing.Controller()?.Uid == owner.Metadata.Uid && JsonNode.DeepEquals(existing.Data, plan.Update.Data))
                        return existing;
                    return null;
                }
            case RevisionWrite.Renumber:
                var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = plan.Update.Metadata.Uid }, ["revision"] = plan.Update.Revision };
                return await revisions.PatchAsync(plan.Update, Patch.Merge(patch), cancellationToken);
            default:
                return plan.Update;
        }
    }

    public async Task TrimAsync(IReadOnlyList<ControllerRevision> present, Func<ControllerRevision, bool> isUsed, int? limit, CancellationToken cancellationToken)
    {
        foreach (var old in RevisionPlanner.Superfluous(present, isUsed, limit))
            await revisions.DeleteAsync(old, cancellationToken);
    }
}
