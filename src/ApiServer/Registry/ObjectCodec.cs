using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>An object as it stands in the store, or as it would after a dry run.</summary>
internal readonly record struct Stored(ReadOnlyMemory<byte> Value, long Revision)
{
    public Envelope Envelope => Envelope.Read(Value);

    public static Stored Of(Entry entry) => new(entry.Value, entry.ModRevision);
}

/// <summary>Makes objects of one version of a custom kind from those of another.</summary>
public interface IVersionConverter
{
    /// <returns>As many objects, in the same order. Fails with an <see cref="ApiException"/>.</returns>
    ValueTask<IReadOnlyList<JsonObject>> ConvertAsync(IReadOnlyList<JsonObject> trees, string apiVersion, CancellationToken cancellationToken);
}

/// <summary>Between stored bytes and trees of the version that a request names.</summary>
internal static class ObjectCodec
{
    /// <summary>True when the stored bytes are the answer: same version, written under the current schema.</summary>
    public static bool IsAsStored(ResourceInfo resource, Envelope envelope) =>
        resource.StoredAs is null && envelope.IsIn(resource.Kind.Version, resource.SchemaEpoch);

    /// <summary>
    /// The object in the version of <paramref name="resource"/>. An object of an older schema is pruned and defaulted as at a write. One that a webhook must convert
    /// first goes through <see cref="ServedAsync(ResourceInfo, Stored, CancellationToken)"/> before.
    /// </summary>
    public static JsonObject ToTree(ResourceInfo resource, Stored stored)
    {
        var envelope = stored.Envelope;
        if (MustConvert(resource, envelope))
            throw Statuses.Internal($"{resource.Resource.Qualified}: an object was asked for before it was converted to {resource.Kind.Version}");
        var tree = envelope.Parse(stored.Revision);
        if (!IsAsStored(resource, envelope))
        {
            resource.StoredAs?.ToServed(tree);
            tree["apiVersion"] = resource.Kind.ApiVersion;
            Conform.PruneAndDefault(resource, tree);
        }
        return tree;
    }

    public static byte[] ToBytes(ResourceInfo resource, JsonObject tree)
    {
        if (resource.StoredAs is { } form)
        {
            tree = (JsonObject)tree.DeepClone();
            form.ToStored(tree);
        }
        if (resource.StorageVersion == resource.Kind.Version)
            return Envelope.Write(tree, resource.StorageVersion, resource.SchemaEpoch);

        // Versions of a custom kind differ only in what their schemas keep. What is stored is an object of the storage version, so that its readers need no look at it.
        var stored = (JsonObject)tree.DeepClone();
        stored["apiVersion"] = StorageApiVersion(resource);
        return ToStorage(resource, stored);
    }

    public static async ValueTask<byte[]> ToBytesAsync(ResourceInfo resource, JsonObject tree, CancellationToken cancellationToken)
    {
        if (resource.Converter is null || resource.StorageVersion == resource.Kind.Version)
            return ToBytes(resource, tree);
        var converted = await resource.Converter.ConvertAsync([tree], StorageApiVersion(resource), cancellationToken);
        return ToStorage(resource, converted[0]);
    }

    public static async ValueTask<JsonObject> ToTreeAsync(ResourceInfo resource, Stored stored, CancellationToken cancellationToken) =>
        ToTree(resource, await ServedAsync(resource, stored, cancellationToken));

    /// <summary>The object in the version of the resource if only a webhook can make that, else as it is stored.</summary>
    public static async ValueTask<Stored> ServedAsync(ResourceInfo resource, Stored stored, CancellationToken cancellationToken) =>
        MustConvert(resource, stored.Envelope) ? (await ServedAsync(resource, [stored], cancellationToken))[0] : stored;

    /// <summary>The same for many, in one call.</summary>
    public static async ValueTask<IReadOnlyList<Stored>> ServedAsync(ResourceInfo resource, IReadOnlyList<Stored> all, CancellationToken cancellationToken)
    {
        if (resource.Converter is not { } converter)
            return all;
        var places = Enumerable.Range(0, all.Count).Where(i => MustConvert(resource, all[i].Envelope)).ToList();
        if (places.Count == 0)
            return all;
        var converted = await converter.ConvertAsync([.. places.Select(i => all[i].Envelope.Parse(all[i].Revision))], resource.Kind.ApiVersion, cancellationToken);
        var served = all.ToArray();
        for (var i = 0; i < places.Count; i++)
        {
            Conform.PruneAndDefault(resource, converted[i]);
            served[places[i]] = Form(resource, converted[i], all[places[i]].Revision);
        }
        return served;
    }

    /// <summary>A tree of the resource's version as if it were stored in that.</summary>
    public static Stored Form(ResourceInfo resource, JsonObject tree, long revision) =>
        new(Envelope.Write(tree, resource.Kind.Version, resource.SchemaEpoch), revision);

    /// <summary>What a write answers: the stored bytes, or where those are of a version that only a webhook can turn back, the object that was written.</summary>
    public static Stored Answer(ResourceInfo resource, JsonObject tree, byte[] bytes, long revision) =>
        resource.Converter is not null && resource.StorageVersion != resource.Kind.Version ? Form(resource, tree, revision) : new(bytes, revision);

    /// <summary>An object of one version as one of another version of the same resource; the argument stays as it is.</summary>
    public static async ValueTask<JsonObject?> ConvertAsync(ResourceInfo from, ResourceInfo to, JsonObject? tree, CancellationToken cancellationToken)
    {
        if (tree is null || from.Kind.Version == to.Kind.Version)
            return tree;
        JsonObject converted;
        if (from.Converter is { } converter)
            converted = (await converter.ConvertAsync([tree], to.Kind.ApiVersion, cancellationToken))[0];
        else
        {
            converted = (JsonObject)tree.DeepClone();
            converted["apiVersion"] = to.Kind.ApiVersion;
        }
        Conform.PruneAndDefault(to, converted);
        return converted;
    }

    private static bool MustConvert(ResourceInfo resource, Envelope envelope) => resource.Converter is not null && !envelope.IsOf(resource.Kind.Version);

    private static string StorageApiVersion(ResourceInfo resource) => (resource.Kind with { Version = resource.StorageVersion }).ApiVersion;

    private static byte[] ToStorage(ResourceInfo resource, JsonObject tree)
    {
        if (resource.StorageSchema is { } schema)
            Conform.PruneAndDefault(resource with { Schema = schema }, tree);
        return Envelope.Write(tree, resource.StorageVersion, resource.SchemaEpoch);
    }
}
