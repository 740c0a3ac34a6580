using System.Collections.Concurrent;
using Weft.ApiServer.Http;
using Weft.ApiServer.Verbs;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <param name="Bytes">Sum of the stored bytes: decides about compression.</param>
internal sealed record ListPage(IReadOnlyList<Entry> Items, long Revision, string? Continue, long? Remaining, long Bytes);

/// <summary>Gets and lists of any resource, at the newest revision or an older one.</summary>
internal sealed class ObjectReader(IStore store)
{
    // How many keys one step of a filtered list reads: a page of kubectl (500) is filled in one step when half of the objects match.
    private const int FilterStep = 1000;

    // By storage prefix and group: versions of one resource share what was worked out.
    private readonly ConcurrentDictionary<(string Prefix, string Group), (ResourceInfo Resource, FactIndex Index)> _indexes = new();

    public IStore Store => store;

    /// <summary>The index of the resource; a changed schema (other selectable fields) starts a new one.</summary>
    public FactIndex IndexOf(ResourceInfo resource)
    {
        var found = _indexes.AddOrUpdate((resource.StoragePrefix, resource.Resource.Group),
            _ => (resource, new FactIndex(resource)),
            (_, old) => old.Resource.SchemaEpoch == resource.SchemaEpoch && ReferenceEquals(old.Resource.Strategy, resource.Strategy) ? old : (resource, new FactIndex(resource)));
        return found.Index;
    }

    public Stored Get(ResourceInfo resource, string ns, string name, long? revision)
    {
        // The newest is never older than what was asked for; only a revision that does not exist yet is an error.
        if (revision > store.Revision)
            throw Statuses.RevisionTooLarge(revision.Value, store.Revision);
        return Find(resource, ns, name) ?? throw Statuses.NotFound(resource.Resource, name);
    }

    /// <summary>The object in the version of the resource, if need be by a webhook.</summary>
    public ValueTask<Stored> GetAsync(ResourceInfo resource, string ns, string name, long? revision, CancellationToken cancellationToken) =>
        ObjectCodec.ServedAsync(resource, Get(resource, ns, name, revision), cancellationToken);

    public Stored? Find(ResourceInfo resource, string ns, string name) =>
        store.Get(Keys.Of(resource, ns, name)) is { } entry ? Stored.Of(entry) : null;

    public async ValueTask<ListPage> ListAsync(ResourceInfo resource, string ns, Selection selection, ListOptions options, CancellationToken cancellationToken)
    {
        var page = await PageAsync(resource, ns, selection, options, cancellationToken);
        if (resource.Converter is null)
            return page;
        var served = await ObjectCodec.ServedAsync(resource, [.. page.Items.Select(Stored.Of)], cancellationToken);
        return page with { Items = [.. page.Items.Zip(served, (entry, stored) => entry with { Value = stored.Value })] };
    }

    private async ValueTask<ListPage> PageAsync(ResourceInfo resource, string ns, Selection selection, ListOptions options, CancellationToken cancellationToken)
    {
        var prefix = Keys.Prefix(resource, ns);
        var limit = (int)Math.Min(options.Limit, int.MaxValue);
        var (revision, after) = Start(options, prefix);

        if (selection.Name is { } name && (!resource.Namespaced || ns.Length > 0) && revision == 0)
            return One(store.Get(prefix + name), selection);

        try
        {
            return await CollectAsync(prefix, selection, revision, after, limit, cancellationToken);
        }
        catch (CompactedException e)
        {
            throw after is null
                ? Statuses.Expired(e.Requested, e.Compacted + 1)
                : Statuses.ContinueExpired(new ContinueToken(ContinueToken.Inconsistent, after[prefix.Length..]).Encode());
        }
        catch (FutureRevisionException e)
        {
            throw Statuses.RevisionTooLarge(e.Requested, e.Current);
        }
    }

    private (long Revision, string? After) Start(ListOptions options, string prefix)
    {
        if (options.Continue is { } token)
            return (token.Revision == ContinueToken.Inconsistent ? 0 : token.Revision, prefix + token.After);
        if (options.Revision is not { } revision || revision == 0)
            return (0, null);
        if (revision > store.Revision)
            throw Statuses.RevisionTooLarge(revision, store.Revision);
        // Without a match, a revision with a limit means exactly that revision (the older clients' way of chunking), else at least that one.
        var exact = options.Match == RevisionMatch.Exact || options.Match == RevisionMatch.Unset && options.Limit > 0;
        return (exact ? revision : 0, null);
    }

    private ListPage One(Entry? entry, Selection selection)
    {
        var items = entry is not null && selection.Matches(entry) ? new[] { entry } : [];
        return new ListPage(items, store.Revision, null, null, items.Sum(item => (long)item.Value.Length));
    }

    private async ValueTask<ListPage> CollectAsync(string prefix, Selection selection, long revision, string? after, int limit, CancellationToken cancellationToken)
    {
        var items = new List<Entry>();
        long bytes = 0;
        while (true)
        {
            var step = limit == 0 ? 0 : selection.IsEverything ? limit - items.Count : Math.Max(FilterStep, limit);
            var page = await store.ListAsync(prefix, revision, step, after, cancellationToken);
            revision = page.Revision;
            for (var i = 0; i < page.Entries.Count; i++)
            {
                var entry = page.Entries[i];
                if (!selection.Matches(entry))
                    continue;
                items.Add(entry);
                bytes += entry.Value.Length;
                if (items.Count != limit)
                    continue;

                var left = page.Remaining + page.Entries.Count - i - 1;
                if (left == 0)
                    return new ListPage(items, revision, null, null, bytes);
                // How many match among the rest is not known without reading them: with a selector there is no count, as in Kubernetes.
                return new ListPage(items, revision, new ContinueToken(revision, entry.Key[prefix.Length..]).Encode(), selection.IsEverything ? left : null, bytes);
            }

            if (page.Remaining == 0 || page.Entries.Count == 0)
                return new ListPage(items, revision, null, null, bytes);
            after = page.Entries[^1].Key;
        }
    }
}
