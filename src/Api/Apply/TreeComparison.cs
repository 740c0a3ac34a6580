using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apply;

/// <summary>Which fields differ between two versions of an object.</summary>
internal sealed record TreeComparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    public FieldSet Changed => Added.Union(Modified);

    public static TreeComparison Of(JsonNode? before, JsonNode? after, Schema schema)
    {
        var (added, modified, removed) = (new FieldSet.Builder(), new FieldSet.Builder(), new FieldSet.Builder());
        Node(before, after, schema, added, modified, removed);
        return new(added.Build(), modified.Build(), removed.Build());
    }

    // Both present and granular, or both roots.
    private static void Node(JsonNode? before, JsonNode? after, Schema schema, FieldSet.Builder added, FieldSet.Builder modified, FieldSet.Builder removed)
    {
        if (before is JsonArray || after is JsonArray)
        {
            Items(before as JsonArray ?? [], after as JsonArray ?? [], schema, added, modified, removed);
            return;
        }
        var (old, now) = (before as JsonObject ?? [], after as JsonObject ?? []);
        foreach (var (name, value) in old)
        {
            if (!now.TryGetPropertyValue(name, out var other))
            {
                // With the objects in it, which somebody may own as `{}` since before they were filled.
                Add(removed, TreeRemoval.WithNamedFields(Fields(name, value, schema), schema));
                removed.AddMember(PathElement.Field(name));
            }
            else
                Both(PathElement.Field(name), value, other, TypedTree.MemberSchema(schema, name), () => Fields(name, value, schema), () => Fields(name, other, schema), added, modified, removed);
        }
        foreach (var (name, value) in now)
            if (!old.ContainsKey(name))
                Add(added, Fields(name, value, schema));
    }

    private static void Both(PathElement element, JsonNode? before, JsonNode? after, Schema schema, Func<FieldSet> oldFields, Func<FieldSet> newFields,
        FieldSet.Builder added, FieldSet.Builder modified, FieldSet.Builder removed)
    {
        var (oldSplits, newSplits) = (TypedTree.IsGranular(before, schema), TypedTree.IsGranular(after, schema));
        if (oldSplits && newSplits && before is JsonObject == after is JsonObject)
            Node(before, after, schema, added.Below(element), modified.Below(element), removed.Below(element));
        else if (!oldSplits && !newSplits)
        {
            if (!JsonNode.DeepEquals(before, after))
                modified.AddMember(element);
        }
        else
        {
            // It was owned in parts and is now owned as a whole, or the other way.
            Add(removed, oldFields());
            Add(added, newFields());
        }
    }

    private static void Items(JsonArray before, JsonArray after, Schema schema, FieldSet.Builder added, FieldSet.Builder modified, FieldSet.Builder removed)
    {
        var old = TypedTree.Items(before, schema).ToLookup(i => i.Element, i => i.Item);
        var now = TypedTree.Items(after, schema).ToLookup(i => i.Element, i => i.Item);
        var items = TypedTree.ItemSchema(schema);
        foreach (var group in old)
        {
            if (!now.Contains(group.Key))
                Add(removed, FieldsOf(group.Key, group.First(), items));
            else if (group.Count() == 1 && now[group.Key].Count() == 1)
                Both(group.Key, group.First(), now[group.Key].First(), items, () => FieldsOf(group.Key, group.First(), items), () => FieldsOf(group.Key, now[group.Key].First(), items),
                    added, modified, removed);
            else if (!group.SequenceEqual(now[group.Key], JsonNodeEquality.Instance))
                modified.AddMember(group.Key);
        }
        foreach (var group in now)
            if (!old.Contains(group.Key))
                Add(added, FieldsOf(group.Key, group.First(), items));
    }

    private static FieldSet Fields(string name, JsonNode? value, Schema schema) =>
        TypedTree.Fields(new JsonObject { [name] = value?.DeepClone() }, schema);

    private static FieldSet FieldsOf(PathElement element, JsonNode? item, Schema schema)
    {
        var builder = new FieldSet.Builder();
        builder.AddAll(element, TypedTree.Fields(item, schema));
        builder.AddMember(element);
        return builder.Build();
    }

    private static void Add(FieldSet.Builder target, FieldSet set)
    {
        foreach (var (element, isMember, below) in set.Elements)
        {
            if (isMember)
                target.AddMember(element);
            target.AddAll(element, below);
        }
    }

    private sealed class JsonNodeEquality : IEqualityComparer<JsonNode?>
    {
        public static readonly JsonNodeEquality Instance = new();

        public bool Equals(JsonNode? x, JsonNode? y) => JsonNode.DeepEquals(x, y);

        public int GetHashCode(JsonNode? obj) => 0;
    }
}
