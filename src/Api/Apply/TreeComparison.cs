using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apply;

/// <summary>Which fields differ between two versions of an object.</summary>
internal sealed record TreeComparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    public FieldSet Changed => Added.Union(Modified);

    public bool IsEmpty => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;

    /// <summary>Compares two objects, each with or without managedFields: that list is no field of its own.</summary>
    public static TreeComparison Of(JsonObject? before, JsonObject? after, Schema schema)
    {
        var found = new Findings(null, null);
        Members(before ?? [], after ?? [], schema, found, Place.Root);
        return new(found.Added.Build(), found.Modified.Build(), found.Removed.Build());
    }

    private enum Place { Root, Metadata, Elsewhere }

    private static void Members(JsonObject before, JsonObject after, Schema schema, Findings found, Place place)
    {
        foreach (var (name, old) in before)
        {
            if (place == Place.Metadata && name == "managedFields")
                continue;
            if (after.TryGetPropertyValue(name, out var now))
            {
                var below = place == Place.Root && name == "metadata" ? Place.Metadata : Place.Elsewhere;
                Both(PathElement.Field(name), old, now, TypedTree.MemberSchema(schema, name), found, below, (value, s) => TypedTree.MemberFields(name, value, s), schema);
                continue;
            }
            // With the objects in it, which somebody may own as `{}` since before they were filled.
            found.Removed.AddAll(TreeRemoval.WithNamedFields(TypedTree.MemberFields(name, old, schema), schema));
            found.Removed.AddMember(PathElement.Field(name));
        }
        foreach (var (name, now) in after)
            if (!before.ContainsKey(name) && !(place == Place.Metadata && name == "managedFields"))
                found.Added.AddAll(TypedTree.MemberFields(name, now, schema));
    }

    private static void Both(PathElement element, JsonNode? before, JsonNode? after, Schema schema, Findings found, Place place,
        Func<JsonNode?, Schema, FieldSet> fields, Schema parent)
    {
        var (oldSplits, newSplits) = (TypedTree.IsGranular(before, schema), TypedTree.IsGranular(after, schema));
        if (oldSplits && newSplits && before is JsonObject oldMembers && after is JsonObject newMembers)
            Members(oldMembers, newMembers, schema, new(found, element), place);
        else if (oldSplits && newSplits && before is JsonArray oldItems && after is JsonArray newItems)
            Items(oldItems, newItems, schema, new(found, element));
        else if (!oldSplits && !newSplits)
        {
            if (!JsonNode.DeepEquals(before, after))
                found.Modified.AddMember(element);
        }
        else
        {
            // It was owned in parts and is now owned as a whole, or the other way.
            found.Removed.AddAll(fields(before, parent));
            found.Added.AddAll(fields(after, parent));
        }
    }

    private static void Items(JsonArray before, JsonArray after, Schema schema, Findings found)
    {
        var old = TypedTree.Items(before, schema).ToLookup(i => i.Element, i => i.Item);
        var now = TypedTree.Items(after, schema).ToLookup(i => i.Element, i => i.Item);
        var items = TypedTree.ItemSchema(schema);
        foreach (var group in old)
        {
            if (!now.Contains(group.Key))
                found.Removed.AddAll(TypedTree.ItemFields(group.Key, group.First(), items));
            else if (group.Count() == 1 && now[group.Key].Count() == 1)
                Both(group.Key, group.First(), now[group.Key].First(), items, found, Place.Elsewhere, (item, s) => TypedTree.ItemFields(group.Key, item, s), items);
            else if (!group.SequenceEqual(now[group.Key], NodeEquality.Instance))
                found.Modified.AddMember(group.Key);
        }
        foreach (var group in now)
            if (!old.Contains(group.Key))
                found.Added.AddAll(TypedTree.ItemFields(group.Key, group.First(), items));
    }

    /// <summary>What was found below one step. Nothing is made for steps where nothing differs, which is most of them.</summary>
    private sealed class Findings(Findings? parent, PathElement? element)
    {
        private FieldSet.Builder? _added;
        private FieldSet.Builder? _modified;
        private FieldSet.Builder? _removed;

        public FieldSet.Builder Added => _added ??= parent is null ? new() : parent.Added.Below(element!);
        public FieldSet.Builder Modified => _modified ??= parent is null ? new() : parent.Modified.Below(element!);
        public FieldSet.Builder Removed => _removed ??= parent is null ? new() : parent.Removed.Below(element!);
    }

    private sealed class NodeEquality : IEqualityComparer<JsonNode?>
    {
        public static readonly NodeEquality Instance = new();

        public bool Equals(JsonNode? x, JsonNode? y) => JsonNode.DeepEquals(x, y);

        public int GetHashCode(JsonNode? obj) => 0;
    }
}
