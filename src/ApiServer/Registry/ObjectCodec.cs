using System.Text.Json.Nodes;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>An object as it stands in the store, or as it would after a dry run.</summary>
internal readonly record struct Stored(ReadOnlyMemory<byte> Value, long Revision)
{
    public Envelope Envelope => Envelope.Read(Value);

    public static Stored Of(Entry entry) => new(entry.Value, entry.ModRevision);
}

/// <summary>Between stored bytes and trees of the version that a request names.</summary>
internal static class ObjectCodec
{
    /// <summary>True when the stored bytes are the answer: same version, written under the current schema.</summary>
    public static bool IsAsStored(ResourceInfo resource, Envelope envelope) =>
        resource.StoredAs is null && envelope.IsIn(resource.Kind.Version, resource.SchemaEpoch);

    /// <summary>The object in the version of <paramref name="resource"/>. An object of an older schema is pruned and defaulted as at a write.</summary>
    public static JsonObject ToTree(ResourceInfo resource, Stored stored)
    {
        var envelope = stored.Envelope;
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

        // Versions of a custom kind differ only in what their schemas keep; the bytes are written in the storage version.
        var requested = tree["apiVersion"]?.DeepClone();
        tree["apiVersion"] = (resource.Kind with { Version = resource.StorageVersion }).ApiVersion;
        var bytes = Envelope.Write(tree, resource.StorageVersion, resource.SchemaEpoch);
        tree["apiVersion"] = requested;
        return bytes;
    }
}
