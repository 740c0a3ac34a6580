using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apply;

/// <summary>Takes fields out of a tree.</summary>
internal static class TreeRemoval
{
    /// <summary>A copy without the fields of the set. An object or list that loses all it has stays, empty, unless it is in the set itself.</summary>
    public static JsonNode? Without(JsonNode? tree, FieldSet gone, Schema schema)
    {
        if (gone.IsEmpty || !TypedTree.IsGranular(tree, schema))
            return tree?.DeepClone();
        return tree is JsonObject members ? Members(members, gone, schema) : Items((JsonArray)tree!, gone, schema);
    }

    /// <summary>Adds every typed member that has fields below it: removing all of a struct's fields removes the struct.</summary>
    public static FieldSet WithNamedFields(FieldSet set, Schema schema)
    {
        var builder = new FieldSet.Builder();
        Named(set, schema, builder);
        return builder.Build();
    }

    private static void Named(FieldSet set, Schema schema, FieldSet.Builder builder)
    {
        foreach (var (element, isMember, below) in set.Elements)
        {
            var child = element.FieldName is { } name ? TypedTree.MemberSchema(schema, name) : TypedTree.ItemSchema(schema);
            if (isMember || element.FieldName is { } field && schema.Properties.ContainsKey(field))
                builder.AddMember(element);
            if (!below.IsEmpty)
                Named(below, child, builder.Below(element));
        }
    }

    private static JsonObject Members(JsonObject members, FieldSet gone, Schema schema)
    {
        var kept = new JsonObject();
        foreach (var (name, value) in members)
        {
            var element = PathElement.Field(name);
            if (!gone.Contains(element))
                kept[name] = Without(value, gone.Below(element), TypedTree.MemberSchema(schema, name));
        }
        return kept;
    }

    private static JsonArray Items(JsonArray list, FieldSet gone, Schema schema)
    {
        var kept = new JsonArray();
        foreach (var (element, item) in TypedTree.Items(list, schema))
            if (!gone.Contains(element))
                kept.Add(Without(item, gone.Below(element), TypedTree.ItemSchema(schema)));
        return kept;
    }
}
