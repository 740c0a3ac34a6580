using Weft.Api;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <summary>
/// Writes to a kind as one identity, reads from the shared cache. Every write is shown in the cache at once, so the next look of the same
/// key sees it: controllers need no expectations.
/// </summary>
public sealed class CachedResource<T>(ResourceClient<T> client, ObjectCache<T> cache) where T : class, IObject
{
    public ObjectCache<T> Cache => cache;

    /// <summary>The server's present state, past the cache.</summary>
    public Task<T?> FindLiveAsync(ObjectKey key, CancellationToken cancellationToken) => client.FindAsync(key, cancellationToken);

    public async Task<T> CreateAsync(string @namespace, T value, CancellationToken cancellationToken)
    {
        var created = await client.CreateAsync(@namespace, value, cancellationToken);
        cache.Wrote(created);
        return created;
    }

    public async Task<T> PatchAsync(T target, Patch patch, CancellationToken cancellationToken)
    {
        var patched = await client.PatchAsync(target.Key(), patch, cancellationToken);
        cache.Wrote(patched);
        return patched;
    }

    public async Task<T> PatchStatusAsync(T target, Patch patch, CancellationToken cancellationToken)
    {
        var patched = await client.PatchStatusAsync(target.Key(), patch, cancellationToken);
        cache.Wrote(patched);
        return patched;
    }

    /// <summary>Deletes this life of the object; false when it was gone already.</summary>
    public async Task<bool> DeleteAsync(T target, CancellationToken cancellationToken, Deletion? options = null)
    {
        try
        {
            var left = await client.DeleteAsync(target.Key(), cancellationToken, (options ?? Deletion.None) with { Uid = target.Metadata.Uid });
            if (left?.Metadata.DeletionTimestamp is not null)
                cache.Wrote(left);
            else
                cache.Removed(target.Key(), target.Metadata.Uid);
            return true;
        }
        catch (ApiStatusException refused) when (refused.IsNotFound || refused.IsConflict)
        {
            return false;
        }
    }
}
