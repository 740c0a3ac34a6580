using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Apply;

/// <summary>Puts an applied configuration over the live object: what it names wins, what it does not name stays.</summary>
internal static class TreeMerge
{
    public static JsonNode? Merge(JsonNode? live, JsonNode? config, Schema schema)
    {
        if (live is JsonObject liveMembers && config is JsonObject configMembers && TypedTree.IsGranular(config, schema))
            return Members(liveMembers, configMembers, schema);
        if (live is JsonArray liveItems && config is JsonArray configItems && TypedTree.IsGranular(config, schema))
            return Items(liveItems, configItems, schema);
        return config?.DeepClone();
    }

    private static JsonObject Members(JsonObject live, JsonObject config, Schema schema)
    {
        var merged = new JsonObject();
        foreach (var (name, value) in live)
            merged[name] = config.TryGetPropertyValue(name, out var wanted) ? Merge(value, wanted, TypedTree.MemberSchema(schema, name)) : value?.DeepClone();
        foreach (var (name, wanted) in config)
            if (!live.ContainsKey(name))
                merged[name] = wanted?.DeepClone();
        return merged;
    }

    // The items of the configuration keep its order; items that only the live list has stay beside the neighbours they had.
    private static JsonArray Items(JsonArray live, JsonArray config, Schema schema)
    {
        var ours = TypedTree.Items(live, schema);
        var theirs = TypedTree.Items(config, schema);
        var oursByElement = First(ours);
        var theirsByElement = First(theirs);
        var shared = new Queue<PathElement>(theirs.Where(t => oursByElement.ContainsKey(t.Element)).Select(t => t.Element));
        var done = new HashSet<PathElement>();
        var merged = new JsonArray();
        int l = 0, r = 0;
        while (l < ours.Count || r < theirs.Count)
        {
            if (l < ours.Count)
            {
                var element = ours[l].Element;
                if (!theirsByElement.ContainsKey(element))
                {
                    merged.Add(ours[l++].Item?.DeepClone());
                    continue;
                }
                // A shared item comes when the configuration's order says so; it is then merged from the other side.
                if (done.Contains(element) || r < theirs.Count && !element.Equals(theirs[r].Element) && shared.TryPeek(out var next) && !next.Equals(element))
                {
                    l++;
                    continue;
                }
            }
            if (r == theirs.Count)
            {
                l++;
                continue;
            }
            var wanted = theirs[r++];
            if (shared.TryPeek(out var expected) && expected.Equals(wanted.Element))
                shared.Dequeue();
            if (!done.Add(wanted.Element))
                continue;
            merged.Add(oursByElement.TryGetValue(wanted.Element, out var existing)
                ? Merge(existing, wanted.Item, TypedTree.ItemSchema(schema))
                : wanted.Item?.DeepClone());
        }
        return merged;
    }

    private static Dictionary<PathElement, JsonNode?> First(List<(PathElement Element, JsonNode? Item)> items)
    {
        var byElement = new Dictionary<PathElement, JsonNode?>(items.Count);
        foreach (var (element, item) in items)
            byElement.TryAdd(element, item);
        return byElement;
    }
}
