using Weft.Control.Discovery.Registry;
using Weft.Storage;

namespace Weft.Host.Server;

/// <summary>The registry's records in the cluster's store, below a prefix of their own: durable, in the same backups, and no objects of the API.</summary>
internal sealed class StoredRegistry(IStore store, int maxWrites) : IRegistryStore
{
    private const string Prefix = "/discovery/";

    public int MaxWrites => maxWrites;

    public async Task<IReadOnlyList<KeptRecord>> LoadAsync(CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        return [.. page.Entries.Select(entry => new KeptRecord(entry.Key[Prefix.Length..], entry.Value))];
    }

    public async Task WriteAsync(IReadOnlyCollection<KeyValuePair<string, byte[]?>> writes, CancellationToken cancellationToken)
    {
        try
        {
            // One writer, the registry: nothing is expected of what is there.
            await store.CommitAsync(writes.Select(write => write.Value is { } value ? Op.Put(Prefix + write.Key, value) : Op.Delete(Prefix + write.Key)).ToArray(), cancellationToken);
        }
        catch (Exception refused) when (refused is StoreReadOnlyException or ValueTooLargeException or ArgumentException)
        {
            throw new RegistryStoreException(refused.Message, refused);
        }
    }
}
