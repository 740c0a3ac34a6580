using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Apply;

/// <summary>Who owns which field of an object (`metadata.managedFields`), kept up to date by every write.</summary>
public static class ManagedFields
{
    // Kubernetes' DefaultMaxUpdateManagers: controllers with changing names must not make an object grow for ever.
    internal const int MaxUpdateManagers = 10;
    internal const string AncientManager = "ancient-changes";
    internal const string BeforeFirstApply = "before-first-apply";

    /// <summary>
    /// Records a create, update or patch: what the write changed belongs to its manager and to nobody else; what it removed belongs to nobody. A write that
    /// changes nothing leaves the entries, times included, as they are. Sets `metadata.managedFields` of <paramref name="updated"/>.
    /// </summary>
    /// <param name="live">The stored object; null at creation.</param>
    /// <param name="updated">
    /// The object to be stored, defaults included. Its own managedFields are taken when they can be read (a client may edit them; one empty entry resets them), else those of the live object.
    /// </param>
    public static void Update(JsonObject? live, JsonObject updated, Schema schema, FieldManager manager, DateTimeOffset now)
    {
        var comparison = TreeComparison.Of(live, updated, schema);
        if (comparison.IsEmpty && live is not null && KeepsList(live, updated))
            return;
        Set(updated, Take(Decode(live, updated, manager), comparison, manager, now));
    }

    // The common write that changes nothing but a resourceVersion: the list is put back as it was, unread.
    private static bool KeepsList(JsonObject live, JsonObject updated)
    {
        var (kept, sent) = (live.At("metadata", "managedFields"), updated.At("metadata", "managedFields"));
        if (kept is not JsonArray || sent is JsonArray { Count: > 0 } && !JsonNode.DeepEquals(kept, sent) || updated["metadata"] is not JsonObject metadata)
            return false;
        metadata["managedFields"] = kept.DeepClone();
        return true;
    }

    /// <summary>The entries of an object; empty when it has none or they cannot be read.</summary>
    internal static List<ManagedEntry> Read(JsonObject? tree) => TryRead(tree.At("metadata", "managedFields")) ?? [];

    /// <summary>The object without its managedFields, which are no field of their own. The tree is shared as far as possible and must not be changed.</summary>
    internal static JsonObject? Bare(JsonObject? tree)
    {
        if (tree?["metadata"] is not JsonObject metadata || !metadata.ContainsKey("managedFields"))
            return tree;
        var copy = (JsonObject)tree.DeepClone();
        copy["metadata"]!.AsObject().Remove("managedFields");
        return copy;
    }

    internal static void Set(JsonObject tree, List<ManagedEntry> entries)
    {
        if (tree["metadata"] is not JsonObject metadata)
        {
            if (entries.Count == 0)
                return;
            tree["metadata"] = metadata = [];
        }
        if (entries.Count == 0)
            metadata.Remove("managedFields");
        else
            metadata["managedFields"] = new JsonArray([.. Sorted(entries).Select(e => e.Write())]);
    }

    /// <summary>Entries after an Update-type write of <paramref name="manager"/> with these differences.</summary>
    internal static List<ManagedEntry> Take(List<ManagedEntry> entries, TreeComparison comparison, FieldManager manager, DateTimeOffset now)
    {
        var changed = comparison.Changed;
        var gone = changed.Union(comparison.Removed);
        var result = new List<ManagedEntry>();
        foreach (var entry in entries)
        {
            var kept = entry.Fields.Difference(gone);
            if (!kept.IsEmpty)
                result.Add(entry with { Fields = kept });
        }

        var taken = manager.Track(changed);
        if (taken.IsEmpty)
            return result;

        var own = new ManagedEntry(manager.Name, false, manager.ApiVersion, manager.Subresource, now, taken);
        var index = result.FindIndex(e => e.Identity == own.Identity);
        if (index < 0)
            result.Add(own);
        else
            result[index] = own with { Fields = result[index].Fields.Union(taken) };
        return Cap(result);
    }

    private static List<ManagedEntry> Decode(JsonObject? live, JsonObject updated, FieldManager manager)
    {
        var sent = updated.At("metadata", "managedFields") as JsonArray;
        // `[{}]` is how a client clears the list; an empty list says nothing.
        if (sent is [JsonObject { Count: 0 }])
            return [];
        // A subresource cannot edit the list.
        if (manager.Subresource.Length == 0 && sent is not null && TryRead(sent) is { Count: > 0 } edited)
            return edited;
        return Read(live);
    }

    private static List<ManagedEntry>? TryRead(JsonNode? list)
    {
        if (list is not JsonArray items)
            return null;
        try
        {
            var entries = new List<ManagedEntry>();
            foreach (var item in items)
            {
                var entry = ManagedEntry.Read(item);
                var same = entries.FindIndex(e => e.Identity == entry.Identity);
                if (same < 0)
                    entries.Add(entry);
                else
                    entries[same] = entry with { Fields = entry.Fields.Union(entries[same].Fields) };
            }
            return entries;
        }
        catch (FieldsException)
        {
            // A list that nobody can read counts as absent, as in Kubernetes: it must not make the object unwritable.
            return null;
        }
    }

    // The oldest updaters of a version share one entry, as few as are needed.
    private static List<ManagedEntry> Cap(List<ManagedEntry> entries)
    {
        var updaters = entries.Where(e => !e.Applied).OrderBy(e => e.Time?.ToUnixTimeSeconds() ?? 0).ThenBy(e => e.Manager, StringComparer.Ordinal).ToList();
        var count = updaters.Count;
        var firstOfVersion = new Dictionary<string, ManagedEntry>();
        foreach (var entry in updaters)
        {
            if (count <= MaxUpdateManagers)
                break;
            if (!firstOfVersion.TryGetValue(entry.ApiVersion, out var bucket))
            {
                firstOfVersion[entry.ApiVersion] = entry;
                continue;
            }
            var merged = new ManagedEntry(AncientManager, false, entry.ApiVersion, "", entry.Time, bucket.Fields.Union(entry.Fields));
            entries.Remove(bucket);
            entries.Remove(entry);
            if (entries.Find(e => e.Identity == merged.Identity) is { } existing)
            {
                entries.Remove(existing);
                merged = merged with { Fields = merged.Fields.Union(existing.Fields) };
                count--;
            }
            entries.Add(merged);
            firstOfVersion[entry.ApiVersion] = merged;
            count--;
        }
        return entries;
    }

    private static IOrderedEnumerable<ManagedEntry> Sorted(IEnumerable<ManagedEntry> entries) => entries
        .OrderBy(e => e.Applied ? 0 : 1)
        .ThenBy(e => e.Time?.ToUnixTimeSeconds() ?? 0)
        .ThenBy(e => e.Manager, StringComparer.Ordinal)
        .ThenBy(e => e.ApiVersion, StringComparer.Ordinal)
        .ThenBy(e => e.Subresource, StringComparer.Ordinal);
}
