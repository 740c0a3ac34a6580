using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Apply;

/// <summary>Server-side apply: merges a manager's configuration into the live object, field by field, and keeps account of who owns what. The arguments are not changed.</summary>
public static class ServerSideApply
{
    /// <param name="live">Null when the object does not exist: the result is then the configuration itself.</param>
    /// <param name="config">All that this manager wants to own from now on, in the kind's schema.</param>
    /// <param name="force">Take fields from other managers instead of reporting conflicts.</param>
    /// <param name="complete">
    /// Makes an object what the server would store of it (defaults, canonical quantities), in place. Values are compared in that form: a `cpu: 1` against a stored "1", or
    /// a fieldRef without the apiVersion that the server added, is neither a change nor a conflict.
    /// </param>
    /// <exception cref="FieldsException">The configuration does not fit the schema, or brings managedFields.</exception>
    public static ApplyOutcome Apply(JsonObject? live, JsonObject config, Schema schema, FieldManager manager, bool force, DateTimeOffset now, Action<JsonObject>? complete = null)
    {
        complete ??= static _ => { };
        if (config.At("metadata", "managedFields") is JsonArray { Count: > 0 })
            throw new FieldsException("metadata.managedFields must be nil");
        var wanted = ManagedFields.Bare(config)!;
        var configured = Configured(wanted, schema, manager);

        var before = ManagedFields.Bare(live);
        var entries = ManagedFields.Read(live);
        if (before is not null && entries.Count == 0)
            entries = FirstEntries(before, schema, manager, now);

        var outcome = Merge(before, live, wanted, configured, entries, schema, manager, force, now, complete, out var contested);
        if (outcome.Conflicts.Count > 0 && manager.Name == LastApplied.Manager && LastApplied.AllowedConflicts(live!, schema, complete) is { } allowed && contested.Difference(allowed).IsEmpty)
            outcome = Merge(before, live, wanted, configured, entries, schema, manager, force: true, now, complete, out _);
        return outcome;
    }

    private static FieldSet Configured(JsonObject config, Schema schema, FieldManager manager)
    {
        try
        {
            return TypedTree.Fields(config, schema, strict: true);
        }
        catch (FieldsException e)
        {
            var ns = config.At("metadata", "namespace").AsText() ?? "";
            var name = config.At("metadata", "name").AsText() ?? "";
            var kind = config["kind"].AsText() ?? "";
            throw new FieldsException($"failed to create typed patch object ({ns}/{name}; {manager.ApiVersion}, Kind={kind}): {e.Message}");
        }
    }

    // An object from before any tracking: whoever made it owns what stands there, so that the first apply cannot take it silently.
    private static List<ManagedEntry> FirstEntries(JsonObject live, Schema schema, FieldManager manager, DateTimeOffset now) =>
        ManagedFields.Take([], TreeComparison.Of(null, live, schema), new FieldManager(ManagedFields.BeforeFirstApply, manager.ApiVersion), now);

    private static ApplyOutcome Merge(JsonObject? before, JsonObject? live, JsonObject wanted, FieldSet configured, List<ManagedEntry> entries, Schema schema,
        FieldManager manager, bool force, DateTimeOffset now, Action<JsonObject> complete, out FieldSet contested)
    {
        var fields = manager.Track(configured);
        var own = new ManagedEntry(manager.Name, true, manager.ApiVersion, manager.Subresource, now, fields);
        var previous = entries.Find(e => e.Identity == own.Identity);
        var others = entries.FindAll(e => e.Identity != own.Identity);

        var merged = (JsonObject)TreeMerge.Merge(before, wanted, schema)!;
        if (previous is not null && !previous.Fields.Difference(configured).IsEmpty)
            merged = Prune(merged, previous.Fields, configured, others, schema);

        complete(merged);
        contested = FieldSet.Empty;
        var comparison = TreeComparison.Of(before, merged, schema);
        var conflicts = new List<FieldConflict>();
        var kept = new List<ManagedEntry>();
        foreach (var other in others)
        {
            var taken = other.Fields.Intersection(comparison.Changed);
            contested = contested.Union(taken);
            conflicts.AddRange(taken.Paths().Select(p => new FieldConflict(other.ToString(), string.Concat(p))));
            var rest = other.Fields.Difference(taken).Difference(comparison.Removed);
            if (!rest.IsEmpty)
                kept.Add(other with { Fields = rest });
        }
        if (conflicts.Count > 0 && !force)
            return new(null, false, [.. conflicts.OrderBy(c => c.Manager, StringComparer.Ordinal)]);

        // An entry that says the same as before keeps its time, and the whole write may turn out to be none.
        var unchanged = previous is null ? fields.IsEmpty : previous.Fields.Equals(fields) && previous.ApiVersion == own.ApiVersion;
        if (live is not null && unchanged && comparison.IsEmpty && JsonNode.DeepEquals(before, merged) && SameOwners(others, kept))
            return new((JsonObject)live.DeepClone(), false, []);

        if (!fields.IsEmpty)
            kept.Add(own);
        if (manager.Name == LastApplied.Manager)
            LastApplied.Refresh(live, merged, wanted);
        ManagedFields.Set(merged, kept);
        return new(merged, true, []);
    }

    private static bool SameOwners(List<ManagedEntry> before, List<ManagedEntry> after) =>
        before.Count == after.Count && before.Zip(after).All(p => p.First.Fields.Equals(p.Second.Fields));

    /// <summary>Removes what this manager applied before and applies no longer, unless another applier owns it.</summary>
    private static JsonObject Prune(JsonObject merged, FieldSet previous, FieldSet configured, List<ManagedEntry> others, Schema schema)
    {
        var dropped = TreeRemoval.WithNamedFields(previous, schema);
        var pruned = TreeRemoval.Without(merged, dropped, schema);

        // Removing an item removed all of it: what appliers own in it comes back.
        var mergedSet = Named(merged, schema);
        var applied = others.Where(e => e.Applied).Aggregate(configured, (set, entry) => set.Union(entry.Fields));
        var owned = TreeRemoval.WithNamedFields(applied, schema);
        pruned = TreeRemoval.Without(merged, mergedSet.Difference(Named(pruned, schema).Union(owned)), schema);

        // And so does what was in it without being this manager's: nothing goes that it did not own, and no list or object goes as a whole in which
        // anyone else, applier or not, owns something.
        var gone = mergedSet.Difference(Named(pruned, schema)).Intersection(dropped);
        var theirs = others.Aggregate(FieldSet.Empty, (set, entry) => set.Union(entry.Fields));
        gone = gone.Difference(TreeRemoval.WithNamedFields(theirs, schema).Difference(theirs));
        return (JsonObject)TreeRemoval.Without(merged, gone, schema)!;
    }

    private static FieldSet Named(JsonNode? tree, Schema schema) => TreeRemoval.WithNamedFields(TypedTree.Fields(tree, schema), schema);
}
