using System.Text.Json.Nodes;
using Weft.Api;

namespace Weft.ApiServer.Strategies;

/// <summary>Small edits of trees whose shape is not yet proven: where a value has the wrong type nothing is done, the schema's validation reports it.</summary>
internal static class TreeEdits
{
    public static JsonObject? Object(this JsonObject? tree, string name) => tree?[name] as JsonObject;

    /// <summary>The member as an object; an absent one is made. Null when it is something else.</summary>
    public static JsonObject? Ensure(this JsonObject tree, string name)
    {
        if (tree[name] is null)
        {
            var made = new JsonObject();
            tree[name] = made;
            return made;
        }
        return tree[name] as JsonObject;
    }

    public static IEnumerable<JsonObject> Objects(this JsonObject? tree, string name) => tree?[name] is JsonArray list ? list.OfType<JsonObject>() : [];

    public static string TextAt(this JsonObject? tree, string name) => tree?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static string TextAt(this JsonObject? tree, string first, string second) => tree.Object(first).TextAt(second);

    public static long? NumberAt(this JsonObject? tree, string name) => new Field(tree?[name], name).Number;

    public static bool FlagAt(this JsonObject? tree, string name) => new Field(tree?[name], name).IsTrue;

    /// <summary>Sets a text where there is none; an empty text counts as none, as in Kubernetes.</summary>
    public static void Default(this JsonObject tree, string name, string value)
    {
        if (tree[name] is null || new Field(tree[name], name).Text is { Length: 0 })
            tree[name] = value;
    }

    public static void Default(this JsonObject tree, string name, long value)
    {
        if (tree[name] is null)
            tree[name] = value;
    }

    /// <summary>As <see cref="Default(JsonObject, string, long)"/>, for fields where 0 means not set.</summary>
    public static void DefaultPositive(this JsonObject tree, string name, long value)
    {
        if (tree[name] is null || new Field(tree[name], name).Number == 0)
            tree[name] = value;
    }

    public static void Default(this JsonObject tree, string name, bool value)
    {
        if (tree[name] is null)
            tree[name] = value;
    }

    /// <summary>Copies a member from one tree to the other; what is absent there becomes absent here.</summary>
    public static void TakeFrom(this JsonObject tree, JsonObject other, string name)
    {
        if (other[name] is { } value)
            tree[name] = value.DeepClone();
        else
            tree.Remove(name);
    }

    /// <summary>The same under another name.</summary>
    public static void TakeFrom(this JsonObject tree, JsonObject other, string name, string newName) => tree[newName] = other[name]?.DeepClone();

    /// <summary>Writes quantities in canonical form (`1000m` becomes `1`), as a read gives them back. What is no quantity stays, for validation.</summary>
    public static void CanonicalQuantities(this JsonObject? resources, string name)
    {
        if (resources.Object(name) is not { } map)
            return;
        foreach (var key in map.Select(entry => entry.Key).ToList())
            map.CanonicalQuantity(key);
    }

    public static void CanonicalQuantity(this JsonObject tree, string name)
    {
        var written = new Field(tree[name], name).Scalar;
        if (written is null || !Quantity.TryParse(written, out var quantity))
            return;
        var canonical = quantity.ToString();
        if (!string.Equals(written, canonical, StringComparison.Ordinal) || tree[name] is JsonValue value && !value.TryGetValue<string>(out _))
            tree[name] = canonical;
    }

    public static bool SameAs(this JsonNode? left, JsonNode? right) => JsonNode.DeepEquals(left, right);
}
