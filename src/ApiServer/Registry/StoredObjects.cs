using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>
/// Reads objects straight from the store, for the parts of the server that decide about requests (authorizer, authenticators, admission): they cannot send requests
/// themselves. Trees are in the storage version and are the caller's own.
/// </summary>
public sealed class StoredObjects(IStore store)
{
    /// <summary>The newest published revision: what reads show at least.</summary>
    public long Revision => store.Revision;

    /// <param name="group">Empty for the core group.</param>
    /// <param name="ns">Empty for a cluster-scoped resource.</param>
    public JsonObject? Get(string group, string resource, string ns, string name) => Find(group, resource, ns, name) is { } entry ? Parse(entry) : null;

    /// <summary>As it is stored. The same object as long as nobody has written it.</summary>
    internal Entry? Find(string group, string resource, string ns, string name) =>
        name.Length == 0 || name.Contains('/') || ns.Contains('/') ? null : store.Get(Prefix(group, resource, ns) + name);

    internal Entry? Find(string key) => store.Get(key);

    /// <summary>As they are stored, in the order of their names.</summary>
    internal async ValueTask<IReadOnlyList<Entry>> EntriesAsync(string group, string resource, CancellationToken cancellationToken)
    {
        var prefix = Prefix(group, resource, "");
        // Asked at each write, and most clusters have none.
        return store.Count(prefix) == 0 ? [] : (await store.ListAsync(prefix, cancellationToken: cancellationToken)).Entries;
    }

    /// <summary>All objects of the resource, or those of one namespace, with the revision to watch from.</summary>
    public async ValueTask<(IReadOnlyList<JsonObject> Items, long Revision)> ListAsync(string group, string resource, string ns, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix(group, resource, ns), cancellationToken: cancellationToken);
        return ([.. page.Entries.Select(Parse)], page.Revision);
    }

    /// <summary>Changes after a revision, in order; ends with the store's exceptions when the reader falls behind.</summary>
    public async IAsyncEnumerable<StoredChange> WatchAsync(
        string group, string resource, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var watch = store.Watch(Prefix(group, resource, ""), after);
        await foreach (var batch in watch.ReadAsync(cancellationToken))
        {
            foreach (var change in batch.Changes)
                yield return new StoredChange(change.Key, change.Current is null ? null : Parse(change.Current), change.Previous is null ? null : Parse(change.Previous), batch.Revision);
        }
    }

    internal static JsonObject Parse(Entry entry) => Envelope.Read(entry.Value).Parse(entry.ModRevision);

    private static string Prefix(string group, string resource, string ns) =>
        $"/registry/{(group.Length == 0 ? "core" : group)}/{resource}/{(ns.Length == 0 ? "" : ns + "/")}";
}

/// <param name="Current">Null for a deletion.</param>
/// <param name="Previous">Null for a creation.</param>
public sealed record StoredChange(string Key, JsonObject? Current, JsonObject? Previous, long Revision);
