using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Quotas;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>Creates and updates objects of any resource: one order of steps for all of them, each commit a compare-and-set.</summary>
internal sealed class ObjectWriter(IStore store, AdmissionChain admission, ObjectNames names, IReadOnlyList<IClaims> claims, QuotaLedger quotas)
{
    // etcd's limit for a request, and so the largest object that any Kubernetes client expects to store.
    public const int MaxObjectBytes = 1536 * 1024;

    // Kubernetes retries a generated name eight times (rest.Create with the RetryGenerateName feature).
    private const int MaxNameAttempts = 8;

    // A patch or status write without a resourceVersion is applied to what is there now; each round lost means that someone else's write went through.
    private const int MaxUpdateAttempts = 100;

    public async ValueTask<Stored> CreateAsync(WriteContext context, JsonObject tree, CancellationToken cancellationToken)
    {
        var resource = context.Resource;
        ObjectNames.Place(resource, tree, context.Namespace);
        var metadata = Metadata.Of(tree);
        if (Metadata.Text(metadata, "resourceVersion").Length > 0)
            throw Statuses.BadRequest("resourceVersion should not be set on objects to be created");

        var generated = Metadata.Text(metadata, "name").Length == 0 && Metadata.Text(metadata, "generateName").Length > 0;
        if (generated)
            metadata["name"] = names.Generate(Metadata.Text(metadata, "generateName"));
        Birth(resource, metadata, context.Now);

        WarnOfOldForms(context, tree);
        Conform.PruneAndDefault(resource, tree);
        resource.Strategy.PrepareForCreate(tree, context.ForStrategy);
        var name = Metadata.Text(metadata, "name");
        var request = Admission(context, AdmissionOperation.Create, name, tree, null);
        // What a client may not set a webhook may not either, and what follows from the rest (a pod's class of service) follows from its change too.
        if (await admission.MutateAsync(request, cancellationToken))
            resource.Strategy.PrepareForCreate(tree, context.ForStrategy);
        Conform.Default(resource, tree);
        FieldOwnership.Created(context, tree);

        for (var attempt = 1; ;)
        {
            var held = await ClaimSet.PrepareAsync(claims, resource, tree, null, cancellationToken);
            Check(context, tree, null);
            await admission.ValidateAsync(request, cancellationToken);
            var charges = await quotas.PrepareAsync(context, tree, null, cancellationToken);
            foreach (var warning in request.Warnings)
                context.Warn(warning);

            name = Metadata.Name(tree);
            var bytes = await SerialiseAsync(resource, tree, cancellationToken);
            var key = Keys.Of(resource, context.Namespace, name);
            if (context.DryRun)
                return store.Get(key) is null ? ObjectCodec.Answer(resource, tree, bytes, 0) : throw Statuses.AlreadyExists(resource.Resource, name);

            var own = held.With(Op.Put(key, bytes, Expect.Absent));
            var result = await store.CommitAsync((Op[])[.. own, .. charges], cancellationToken);
            if (result.Succeeded)
                return ObjectCodec.Answer(resource, tree, bytes, result.Revision);
            if (result.FailedOperation >= own.Length)
                continue; // somebody else was counted in between: each such round is one write of theirs that went through
            if (result.FailedOperation > 0)
                held.Lost(result.FailedOperation);
            else if (!generated || attempt++ >= MaxNameAttempts)
                throw Statuses.AlreadyExists(resource.Resource, name);
            else
                Metadata.Of(tree)["name"] = names.Generate(Metadata.Text(Metadata.Of(tree), "generateName"));
        }
    }

    /// <summary>
    /// Reads the object, lets <paramref name="change"/> make a new one from it (which it must leave as it is), and writes that. When someone else wrote in between, it starts over, unless the
    /// new object (or <paramref name="demands"/>) named the revision it was made from.
    /// </summary>
    public async ValueTask<Stored> UpdateAsync(
        WriteContext context, Demands demands, Func<JsonObject, ValueTask<JsonObject>> change, CancellationToken cancellationToken)
    {
        var resource = context.Resource;
        for (var attempt = 1; ; attempt++)
        {
            var entry = store.Get(context.Key) ?? throw Statuses.NotFound(resource.Resource, context.Name);
            var stored = Stored.Of(entry);
            var served = await ObjectCodec.ServedAsync(resource, stored, cancellationToken);
            var old = ObjectCodec.ToTree(resource, served);
            Require(context, demands, old);

            var tree = await change(old);
            Succeed(context, tree, old);
            var held = await PrepareUpdateAsync(context, tree, old, cancellationToken);
            var charges = await quotas.PrepareAsync(context, tree, old, cancellationToken);

            var bytes = await SerialiseAsync(resource, tree, cancellationToken);
            if (Finalizers.IsDone(resource, tree))
            {
                if (context.DryRun || await RemoveAsync(context, entry, bytes, cancellationToken) is { Succeeded: true })
                    return ObjectCodec.Answer(resource, tree, bytes, entry.ModRevision);
            }
            else if (IsSame(resource, stored, bytes, tree, old))
            {
                return served;
            }
            else if (context.DryRun)
            {
                return ObjectCodec.Answer(resource, tree, bytes, entry.ModRevision);
            }
            else
            {
                var own = held.With(Op.Put(context.Key, bytes, Expect.At(entry.ModRevision)));
                var result = await store.CommitAsync((Op[])[.. own, .. charges], cancellationToken);
                if (result.Succeeded)
                    return ObjectCodec.Answer(resource, tree, bytes, result.Revision);
                if (result.FailedOperation >= own.Length)
                    continue;
                if (result.FailedOperation > 0)
                {
                    held.Lost(result.FailedOperation);
                    continue;
                }
            }

            // The next round sees what was written in between: a new object that names its revision, or demands that do, are refused there.
            if (attempt >= MaxUpdateAttempts)
                throw Statuses.Modified(resource.Resource, context.Name);
        }
    }

    /// <summary>Deletes the entry and, in the same transaction, what the object had claimed and used of quotas.</summary>
    public async ValueTask<CommitResult> RemoveAsync(WriteContext context, Entry entry, ReadOnlyMemory<byte> last, CancellationToken cancellationToken)
    {
        var held = ClaimSet.Release(claims, context.Resource, Envelope.Read(last));
        while (true)
        {
            var freed = await quotas.PrepareAsync(context, null, Envelope.Read(entry.Value).Parse(entry.ModRevision), cancellationToken);
            var own = held.With(Op.Delete(entry.Key, Expect.At(entry.ModRevision)));
            var result = await store.CommitAsync((Op[])[.. own, .. freed], cancellationToken);
            if (result.Succeeded || result.FailedOperation < own.Length)
                return result;
        }
    }

    private async ValueTask<ClaimSet> PrepareUpdateAsync(WriteContext context, JsonObject tree, JsonObject old, CancellationToken cancellationToken)
    {
        var resource = context.Resource;
        WarnOfOldForms(context, tree);
        Conform.PruneAndDefault(resource, tree);
        resource.Strategy.PrepareForUpdate(tree, old, context.ForStrategy);
        var request = Admission(context, AdmissionOperation.Update, context.Name, tree, old);
        if (await admission.MutateAsync(request, cancellationToken))
            resource.Strategy.PrepareForUpdate(tree, old, context.ForStrategy);
        Conform.Default(resource, tree);
        if (Generations.Has(resource) && Generations.DesiredStateDiffers(resource, old, tree))
            Metadata.Of(tree)["generation"] = (Metadata.Number(old["metadata"] as JsonObject, "generation") ?? 0) + 1;
        FieldOwnership.Updated(context, tree, old);
        var held = await ClaimSet.PrepareAsync(claims, resource, tree, old, cancellationToken); // after the ownership: the client did not set what is allocated
        Check(context, tree, old);
        await admission.ValidateAsync(request, cancellationToken);
        foreach (var warning in request.Warnings)
            context.Warn(warning);
        return held;
    }

    // What the server alone writes into a new object's metadata.
    private void Birth(ResourceInfo resource, JsonObject metadata, DateTimeOffset now)
    {
        foreach (var owned in (ReadOnlySpan<string>)["selfLink", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"])
            metadata.Remove(owned);
        metadata["uid"] = names.Uid();
        metadata["creationTimestamp"] = Metadata.Time(now);
        if (Generations.Has(resource))
            metadata["generation"] = 1;
    }

    // Carries over what a client may not change, and refuses an object that was made from another revision.
    private static void Succeed(WriteContext context, JsonObject tree, JsonObject old)
    {
        var resource = context.Resource;
        ObjectNames.Place(resource, tree, context.Namespace);
        var (metadata, before) = (Metadata.Of(tree), Metadata.Of(old));
        var name = Metadata.Text(metadata, "name");
        if (name.Length == 0)
            throw Statuses.BadRequest("name must be provided");
        if (name != context.Name)
            throw Statuses.BadRequest($"the name of the object ({name}) does not match the name on the URL ({context.Name})");

        var uid = Metadata.Text(metadata, "uid");
        if (uid.Length > 0 && uid != Metadata.Text(before, "uid"))
            throw Statuses.UidPrecondition(resource.Resource, context.Name, uid, Metadata.Text(before, "uid"));
        var revision = Metadata.Text(metadata, "resourceVersion");
        if (revision.Length > 0 && revision != Metadata.Text(before, "resourceVersion"))
            throw Statuses.Modified(resource.Resource, context.Name);

        metadata.Remove("selfLink");
        metadata["resourceVersion"] = before["resourceVersion"]?.DeepClone();
        foreach (var owned in (ReadOnlySpan<string>)["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"])
        {
            if (before[owned] is { } value)
                metadata[owned] = value.DeepClone();
            else
                metadata.Remove(owned);
        }
    }

    private static void Require(WriteContext context, Demands demands, JsonObject old)
    {
        var uid = Metadata.Uid(old);
        if (demands.Uid is { } wanted && wanted != uid)
            throw Statuses.UidPrecondition(context.Resource.Resource, context.Name, wanted, uid);
        var revision = Metadata.ResourceVersion(old);
        if (demands.ResourceVersion is { } pinned && pinned != revision)
            throw Statuses.RevisionPrecondition(context.Resource.Resource, context.Name, pinned, revision);
    }

    private static void Check(WriteContext context, JsonObject tree, JsonObject? old)
    {
        var resource = context.Resource;
        var errors = new List<FieldError>(Conform.Validate(resource, tree, old));
        if (errors.Count == 0)
            errors.AddRange(resource.Strategy.Validate(tree, old, context.ForStrategy));
        if (errors.Count > 0)
            throw Statuses.Invalid(resource.Kind, Metadata.Name(tree), errors);
        foreach (var warning in resource.Strategy.Warnings(tree, old))
            context.Warn(warning);
    }

    private static void WarnOfOldForms(WriteContext context, JsonObject tree)
    {
        foreach (var warning in context.Resource.Strategy.OldForms(tree))
            context.Warn(warning);
    }

    private static async ValueTask<byte[]> SerialiseAsync(ResourceInfo resource, JsonObject tree, CancellationToken cancellationToken)
    {
        var bytes = await ObjectCodec.ToBytesAsync(resource, tree, cancellationToken);
        return bytes.Length <= MaxObjectBytes ? bytes : throw Statuses.TooLarge(MaxObjectBytes);
    }

    // The bytes tell most cases; a client that sends the members in another order is told apart by the trees.
    private static bool IsSame(ResourceInfo resource, Stored stored, byte[] bytes, JsonObject tree, JsonObject old) =>
        resource.StoredAs is not null
            ? JsonNode.DeepEquals(tree, old)
            : stored.Value.Span.SequenceEqual(bytes) || ObjectCodec.IsAsStored(resource, stored.Envelope) && JsonNode.DeepEquals(tree, old);

    private static AdmissionRequest Admission(WriteContext context, AdmissionOperation operation, string name, JsonObject tree, JsonObject? old) =>
        new(context.User, operation, context.Resource.Resource, context.Resource.Kind)
        {
            Subresource = context.Subresource,
            Namespace = context.Namespace,
            Name = name,
            Object = tree,
            OldObject = old,
            DryRun = context.DryRun,
            IsOwn = context.IsOwn,
            Served = context.Resource,
        };
}
