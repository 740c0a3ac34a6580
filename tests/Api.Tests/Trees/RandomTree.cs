using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Trees;

/// <summary>Random trees from a seed: free ones, and ones that fit a schema.</summary>
internal static class RandomTree
{
    private static readonly string[] Texts =
        ["", "a", "yes", "1", "1.5", "null", "~", " lead", "trail ", "a: b", "#x", "- x", "it's", "\"q\"", "two\nlines", "ends\n", "tab\tx", "ünï", "2024-01-01", "0x10", "*a", "&b", "{", "[", "|", "a #b",
         "\nfirst", "  indented\nblock", "a\n\nb\n\n", "end:", "\u0001", "on", "y", "!tag", "%x", "@x", "`x", "---", "...", "a,b", "<<", "=", "C:\\x", "\u2028"];

    public static JsonNode? Any(Random random, int depth, bool withNulls = true) => random.Next(depth > 0 ? 9 : 6) switch
    {
        0 => withNulls ? null : JsonValue.Create(0),
        1 => JsonValue.Create(random.Next(2) == 0),
        2 => JsonValue.Create(random.Next(-1000, 1000)),
        3 => JsonValue.Create(Math.Round(random.NextDouble() * 100, 3)),
        4 or 5 => JsonValue.Create(Texts[random.Next(Texts.Length)]),
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(random, depth - 1, withNulls))]),
        _ => Object(random, depth - 1, withNulls),
    };

    public static JsonObject Object(Random random, int depth, bool withNulls = true)
    {
        var tree = new JsonObject();
        for (var n = random.Next(5); n > 0; n--)
            tree[random.Next(3) == 0 ? Texts[random.Next(Texts.Length)] : "k" + random.Next(6)] = Any(random, depth, withNulls);
        return tree;
    }

    /// <summary>A tree that fits the schema: keyed lists without repetition, known members only, no nulls.</summary>
    public static JsonNode Fitting(Random random, Schema schema, int depth = 8)
    {
        if (schema.IntOrString)
            return random.Next(2) == 0 ? random.Next(3) : "50%";
        switch (schema.Type)
        {
            case SchemaType.Integer: return random.Next(4);
            case SchemaType.Boolean: return random.Next(2) == 0;
            case SchemaType.Array:
                var list = new JsonArray();
                var seen = new HashSet<string>();
                for (var n = random.Next(4); n > 0 && depth > 0; n--)
                {
                    var item = Fitting(random, schema.Items!, depth - 1);
                    foreach (var key in schema.ListMapKeys)
                        item[key] ??= Fitting(random, schema.Items!.Properties[key], 1);
                    // One patch key may stand for several apply keys (ports), so items differ in the first.
                    var id = schema.ListType == ListType.Map ? item[schema.ListMapKeys[0]]!.ToJsonString() : item.ToJsonString();
                    if (schema.ListType == ListType.Atomic || seen.Add(id))
                        list.Add(item);
                }
                return list;
            case SchemaType.Object:
                var members = new JsonObject();
                foreach (var (name, member) in schema.Properties.OrderBy(p => p.Key, StringComparer.Ordinal))
                    if (depth > 0 && name is not ("managedFields" or "apiVersion" or "kind") && random.Next(3) > 0)
                        members[name] = Fitting(random, member, depth - 1);
                if (schema.AdditionalProperties is { } values && depth > 0)
                    for (var n = random.Next(3); n > 0; n--)
                        members["k" + random.Next(4)] = Fitting(random, values, depth - 1);
                return members;
            default: return "v" + random.Next(4);
        }
    }
}
