using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>What the client wants of a delete.</summary>
internal sealed record Removal
{
    public long? GracePeriodSeconds { get; init; }

    /// <summary>Orphan, Background or Foreground; null leaves the object's own finalizers as they are.</summary>
    public string? Propagation { get; init; }
    public Demands Demands { get; init; } = Demands.None;
}

/// <param name="Gone">True when the object was removed; false when finalizers or its grace period still hold it.</param>
internal readonly record struct Removed(bool Gone, Stored Object, string Uid);

/// <summary>
/// Deletes: an object with finalizers or a grace period is first marked with a deletionTimestamp and stays until the last holder lets go; any other is removed at once.
/// </summary>
internal sealed class ObjectDeleter(IStore store, ObjectWriter writer, AdmissionChain admission)
{
    public async ValueTask<Removed> DeleteAsync(WriteContext context, Removal removal, CancellationToken cancellationToken)
    {
        var resource = context.Resource;
        while (true)
        {
            var entry = store.Get(context.Key) ?? throw Statuses.NotFound(resource.Resource, context.Name);
            var served = await ObjectCodec.ServedAsync(resource, Stored.Of(entry), cancellationToken);
            var tree = ObjectCodec.ToTree(resource, served);
            Require(context, removal.Demands, tree);
            await AdmitAsync(context, tree, cancellationToken);

            var uid = Metadata.Uid(tree);
            var changed = Mark(resource, tree, removal, context.Now);
            if (Finalizers.IsDone(resource, tree))
            {
                var last = await ObjectCodec.ToBytesAsync(resource, tree, cancellationToken);
                if (context.DryRun)
                    return new Removed(true, ObjectCodec.Answer(resource, tree, last, entry.ModRevision), uid);
                var removed = await writer.RemoveAsync(context, entry, last, cancellationToken);
                if (removed.Succeeded)
                    return new Removed(true, ObjectCodec.Answer(resource, tree, last, removed.Revision), uid);
                continue; // someone wrote in between: look again
            }

            if (!changed)
                return new Removed(false, served, uid);
            var bytes = await ObjectCodec.ToBytesAsync(resource, tree, cancellationToken);
            if (context.DryRun)
                return new Removed(false, ObjectCodec.Answer(resource, tree, bytes, entry.ModRevision), uid);
            var result = await store.CommitAsync(new[] { Op.Put(entry.Key, bytes, Expect.At(entry.ModRevision)) }, cancellationToken);
            if (result.Succeeded)
                return new Removed(false, ObjectCodec.Answer(resource, tree, bytes, result.Revision), uid);
        }
    }

    private static void Require(WriteContext context, Demands demands, JsonObject tree)
    {
        var (uid, revision) = (Metadata.Uid(tree), Metadata.ResourceVersion(tree));
        if (demands.Uid is { } wanted && wanted != uid)
            throw Statuses.UidPrecondition(context.Resource.Resource, context.Name, wanted, uid);
        if (demands.ResourceVersion is { } pinned && pinned != revision)
            throw Statuses.RevisionPrecondition(context.Resource.Resource, context.Name, pinned, revision);
    }

    private async ValueTask AdmitAsync(WriteContext context, JsonObject tree, CancellationToken cancellationToken)
    {
        var request = new AdmissionRequest(context.User, AdmissionOperation.Delete, context.Resource.Resource, context.Resource.Kind)
        {
            Namespace = context.Namespace,
            Name = context.Name,
            OldObject = tree,
            DryRun = context.DryRun,
            Served = context.Resource,
        };
        await admission.MutateAsync(request, cancellationToken);
        await admission.ValidateAsync(request, cancellationToken);
        foreach (var warning in request.Warnings)
            context.Warn(warning);
    }

    // Sets deletionTimestamp, grace and the propagation's finalizer; returns whether anything changed.
    private static bool Mark(ResourceInfo resource, JsonObject tree, Removal removal, DateTimeOffset now)
    {
        var metadata = Metadata.Of(tree);
        var changed = SetPropagation(metadata, removal.Propagation);
        var requested = removal.GracePeriodSeconds;
        if (metadata["deletionTimestamp"] is null)
        {
            var grace = resource.Strategy.GracePeriodSeconds(tree, requested) ?? 0;
            metadata["deletionTimestamp"] = Metadata.Time(now.AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            if (Metadata.Number(metadata, "generation") is { } generation)
                metadata["generation"] = generation + 1;
            if (resource.Resource is { Group: "", Resource: "namespaces" })
                SetPhaseTerminating(tree);
            return true;
        }

        // A second delete can only shorten the grace: one without a wish leaves it as the first one set it.
        var granted = Metadata.Number(metadata, "deletionGracePeriodSeconds") ?? 0;
        var shorter = requested is null ? granted : resource.Strategy.GracePeriodSeconds(tree, requested) ?? 0;
        if (shorter >= granted)
            return changed;
        var since = DateTimeOffset.TryParse(Metadata.Text(metadata, "deletionTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end)
            ? end.AddSeconds(-granted)
            : now;
        metadata["deletionTimestamp"] = Metadata.Time(since.AddSeconds(shorter));
        metadata["deletionGracePeriodSeconds"] = shorter;
        return true;
    }

    private static bool SetPropagation(JsonObject metadata, string? propagation)
    {
        if (propagation is null)
            return false;
        var before = Metadata.Strings(metadata, "finalizers");
        var after = before.Where(name => name is not (Finalizers.Orphan or Finalizers.Foreground)).ToList();
        if (propagation == "Orphan")
            after.Add(Finalizers.Orphan);
        else if (propagation == "Foreground")
            after.Add(Finalizers.Foreground);
        if (after.SequenceEqual(before))
            return false;
        Metadata.SetStrings(metadata, "finalizers", after);
        return true;
    }

    private static void SetPhaseTerminating(JsonObject tree)
    {
        if (tree["status"] is not JsonObject status)
            tree["status"] = status = [];
        status["phase"] = "Terminating";
    }
}
