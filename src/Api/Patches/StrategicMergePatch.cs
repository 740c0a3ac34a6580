using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Patches;

/// <summary>
/// Kubernetes' strategic merge patch: objects merge, lists are replaced unless the schema gives them a merge key (or, for scalars, the merge strategy), and
/// directives in the patch delete, replace, retain and order. The arguments are not changed.
/// </summary>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string ElementOrder = "$setElementOrder/";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";

    /// <exception cref="PatchException">A directive or list of the patch has the wrong form.</exception>
    public static JsonObject Apply(JsonObject current, JsonObject patch, Schema schema) =>
        MergeObject((JsonObject)current.DeepClone(), (JsonObject)patch.DeepClone(), schema);

    // Works on private copies of both: what the patch brings is moved, not copied again.
    private static JsonObject MergeObject(JsonObject target, JsonObject patch, Schema schema)
    {
        if (patch.TryGetPropertyValue(Directive, out var directive))
            return WholeObject(directive, patch);

        Retain(target, patch);
        foreach (var order in patch.Select(p => p.Key).Where(k => k.StartsWith(ElementOrder, StringComparison.Ordinal)).ToList())
            MergeOrderedList(target, patch, order, schema);

        foreach (var (name, change) in patch.ToList())
        {
            patch.Remove(name);
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
                DeleteScalars(target, name[DeleteFromList.Length..], change);
            else if (change is null)
                target.Remove(name);
            else if (!target.TryGetPropertyValue(name, out var existing) || existing is null || KindOf(existing) != KindOf(change))
                target[name] = WithoutDirectives(change);
            else
            {
                var member = schema.Member(name) ?? Schema.Anything;
                switch (change)
                {
                    case JsonObject inner:
                        var merged = MergeObject((JsonObject)existing, inner, member);
                        if (!ReferenceEquals(merged, existing))
                            target[name] = merged;
                        break;
                    case JsonArray list:
                        target[name] = member.PatchStrategy.HasFlag(PatchStrategy.Merge)
                            ? MergeList(Take((JsonArray)existing), Take(list), member, name, null)
                            : WithoutDirectives(list);
                        break;
                    default:
                        target[name] = change;
                        break;
                }
            }
        }
        return target;
    }

    private static JsonObject WholeObject(JsonNode? directive, JsonObject patch)
    {
        patch.Remove(Directive);
        return TextOf(directive) switch
        {
            "replace" => (JsonObject)WithoutDirectives(patch)!,
            "delete" => [],
            "merge" => throw Malformed("$patch: merge is not allowed in an object"),
            _ => throw Malformed($"unknown patch type: {directive?.ToJsonString() ?? "null"} in {Directive}; it must be replace or delete"),
        };
    }

    // $retainKeys names all members that may stay: how a union (a deployment's strategy) loses the member that is no longer chosen.
    private static void Retain(JsonObject target, JsonObject patch)
    {
        if (!patch.Remove(RetainKeys, out var value))
            return;
        var keys = value is JsonArray list && list.All(k => TextOf(k) is not null)
            ? list.Select(k => TextOf(k)!).ToHashSet()
            : throw Malformed("$retainKeys must be a list of strings");
        foreach (var (name, change) in patch)
            if (change is not null && !keys.Contains(name) && !name.StartsWith(DeleteFromList, StringComparison.Ordinal) && !name.StartsWith(ElementOrder, StringComparison.Ordinal))
                throw Malformed($"the patch sets \"{name}\", which its $retainKeys list does not name");
        foreach (var name in target.Select(m => m.Key).Where(k => !keys.Contains(k)).ToList())
            target.Remove(name);
    }

    private static void MergeOrderedList(JsonObject target, JsonObject patch, string directive, Schema schema)
    {
        patch.Remove(directive, out var value);
        var name = directive[ElementOrder.Length..];
        if (value is not JsonArray order)
            throw Malformed($"{directive} must be a list");
        patch.TryGetPropertyValue(name, out var change);
        target.TryGetPropertyValue(name, out var existing);
        if (change is null)
        {
            // An explicit null stays for the caller: it removes the list.
            if (patch.ContainsKey(name) || existing is null)
                return;
        }
        if (change is not null and not JsonArray)
            throw Malformed($"\"{name}\" must be a list, as {directive} says");
        if (existing is not null and not JsonArray)
            throw Malformed($"\"{name}\" of the object is not a list, so {directive} cannot order it");

        var member = schema.Member(name) ?? Schema.Anything;
        var wanted = Take(order);
        var changes = change is null ? [] : Take((JsonArray)change);
        patch.Remove(name);
        CheckOrder(changes, wanted, member, name);
        if (!member.PatchStrategy.HasFlag(PatchStrategy.Merge) && change is not null)
            target[name] = new JsonArray([.. changes.Select(WithoutDirectives)]);
        else
            target[name] = MergeList(existing is null ? [] : Take((JsonArray)existing), changes, member, name, wanted);
    }

    // What the patch sets must stand in the order list, in the same sequence.
    private static void CheckOrder(List<JsonNode?> changes, List<JsonNode?> order, Schema member, string name)
    {
        if (order.Count == 0 || changes.Count == 0)
            return;
        var at = 0;
        foreach (var change in changes)
        {
            if (change is JsonObject item && item.ContainsKey(Directive))
                continue;
            var key = KeyOf(change, member, name);
            while (at < order.Count && KeyOf(order[at], member, name) != key)
                at++;
            if (at++ == order.Count)
                throw Malformed($"the order in the patch list \"{name}\" doesn't match its $setElementOrder list");
        }
    }

    private static JsonArray MergeList(List<JsonNode?> existing, List<JsonNode?> changes, Schema member, string name, List<JsonNode?>? order)
    {
        var ofObjects = existing.Concat(changes).FirstOrDefault(i => i is not null) is JsonObject;
        foreach (var item in existing.Concat(changes))
            if (item is JsonObject != ofObjects || item is JsonArray or null)
                throw Malformed($"the list \"{name}\" mixes types or holds lists, so it cannot be merged");

        if (!ofObjects)
        {
            var seen = new HashSet<string>();
            var all = Keyed(existing.Concat(changes), member, name).Where(i => seen.Add(i.Key)).ToList();
            return Ordered(all, Positions(order ?? changes, member, name), Positions(existing, member, name));
        }

        if (member.PatchMergeKey is not { } key)
            throw Malformed($"cannot merge the list \"{name}\" without a merge key");

        var (kept, plain) = Directives(existing, changes, key, name);
        // Merging takes the changes apart, so their order is noted first.
        var wanted = Positions(order ?? plain, member, name);
        var server = Positions(kept, member, name);
        var index = new Dictionary<string, int>(server);
        var result = Keyed(kept, member, name).ToList();
        foreach (var (change, changeKey) in Keyed(plain, member, name).ToList())
        {
            if (index.TryGetValue(changeKey, out var at))
                result[at] = (MergeObject((JsonObject)result[at].Item!, (JsonObject)change!, member.Items ?? Schema.Anything), changeKey);
            else
            {
                index[changeKey] = result.Count;
                result.Add((WithoutDirectives(change), changeKey));
            }
        }
        return Ordered(result, wanted, server);
    }

    /// <summary>Carries out `$patch` items of a list; gives back what stays of the list and the ordinary items of the patch.</summary>
    private static (List<JsonNode?> Kept, List<JsonNode?> Plain) Directives(List<JsonNode?> existing, List<JsonNode?> changes, string key, string name)
    {
        var plain = new List<JsonNode?>();
        var gone = new HashSet<string>();
        var replace = false;
        foreach (var change in changes)
        {
            var item = (JsonObject)change!;
            if (!item.TryGetPropertyValue(Directive, out var directive))
            {
                plain.Add(item);
                continue;
            }
            switch (TextOf(directive))
            {
                case "delete":
                    gone.Add(item.TryGetPropertyValue(key, out var value) ? ScalarKey(value) : throw NoKey(name, key));
                    break;
                case "replace":
                    replace = true;
                    break;
                case "merge":
                    throw Malformed($"$patch: merge is not allowed in the list \"{name}\"");
                default:
                    throw Malformed($"unknown patch type: {directive?.ToJsonString() ?? "null"} in the list \"{name}\"; it must be replace or delete");
            }
        }
        if (replace)
            return ([.. plain.Select(WithoutDirectives)], []);
        return gone.Count == 0
            ? (existing, plain)
            : (existing.FindAll(e => !(((JsonObject)e!).TryGetPropertyValue(key, out var own) && gone.Contains(ScalarKey(own)))), plain);
    }

    /// <summary>
    /// What the patch (or its order list) names takes that order; what only the server has keeps its order and its place before those it stood in front of.
    /// </summary>
    private static JsonArray Ordered(List<(JsonNode? Item, string Key)> items, Dictionary<string, int> order, Dictionary<string, int> server)
    {
        var named = items.Where(i => order.ContainsKey(i.Key)).OrderBy(i => order[i.Key]).ToList();
        var rest = items.Where(i => !order.ContainsKey(i.Key)).OrderBy(i => server.GetValueOrDefault(i.Key, -1)).ToList();

        var result = new JsonArray();
        int n = 0, r = 0;
        while (n < named.Count || r < rest.Count)
        {
            var takeRest = n == named.Count
                || r < rest.Count && server.TryGetValue(rest[r].Key, out var restAt) && server.TryGetValue(named[n].Key, out var namedAt) && restAt < namedAt;
            result.Add(takeRest ? rest[r++].Item : named[n++].Item);
        }
        return result;
    }

    private static IEnumerable<(JsonNode? Item, string Key)> Keyed(IEnumerable<JsonNode?> items, Schema member, string name) =>
        items.Select(i => (i, KeyOf(i, member, name)));

    private static Dictionary<string, int> Positions(List<JsonNode?> items, Schema member, string name)
    {
        var positions = new Dictionary<string, int>(items.Count);
        for (var i = 0; i < items.Count; i++)
            positions.TryAdd(KeyOf(items[i], member, name), i);
        return positions;
    }

    // Lists are matched by these texts: comparing every item with every other would let one patch of a few megabytes take minutes.
    private static string KeyOf(JsonNode? item, Schema member, string name)
    {
        if (item is not JsonObject members)
            return ScalarKey(item);
        var key = member.PatchMergeKey ?? throw Malformed($"cannot merge the list \"{name}\" without a merge key");
        return members.TryGetPropertyValue(key, out var value) ? ScalarKey(value) : throw NoKey(name, key);
    }

    private static string ScalarKey(JsonNode? value) =>
        value.AsInteger() is { } whole ? whole.ToString(System.Globalization.CultureInfo.InvariantCulture) : value?.ToJsonString() ?? "null";

    private static void DeleteScalars(JsonObject target, string name, JsonNode? change)
    {
        if (change is not JsonArray gone)
            throw Malformed($"{DeleteFromList}{name} must be a list");
        if (!target.TryGetPropertyValue(name, out var existing) || existing is null)
            return;
        if (existing is not JsonArray list)
            throw Malformed($"{DeleteFromList}{name} names a field that is no list");
        var keys = gone.Select(ScalarKey).ToHashSet();
        list.RemoveAll(i => keys.Contains(ScalarKey(i)));
    }

    /// <summary>A value that the object did not have is taken as it is, without what only speaks to an existing one: nulls and directives.</summary>
    private static JsonNode? WithoutDirectives(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject members:
                foreach (var (name, member) in members.ToList())
                {
                    if (member is null || name is Directive or RetainKeys || name.StartsWith(ElementOrder, StringComparison.Ordinal) || name.StartsWith(DeleteFromList, StringComparison.Ordinal))
                        members.Remove(name);
                    else
                        WithoutDirectives(member);
                }
                break;
            case JsonArray list:
                for (var i = list.Count - 1; i >= 0; i--)
                {
                    if (list[i] is JsonObject item && item.ContainsKey(Directive))
                        list.RemoveAt(i);
                    else
                        WithoutDirectives(list[i]);
                }
                break;
        }
        // The node may still hang in the patch; a tree's node has one parent.
        return value?.Parent is null ? value : value.DeepClone();
    }

    // Empties the list, so that its items can be put elsewhere without copies.
    private static List<JsonNode?> Take(JsonArray list)
    {
        var items = list.ToList();
        list.Clear();
        return items;
    }

    private static int KindOf(JsonNode node) => node switch
    {
        JsonObject => 0,
        JsonArray => 1,
        _ => 2,
    };

    private static string? TextOf(JsonNode? node) => node is not null && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    private static PatchException NoKey(string name, string key) =>
        new(PatchFailure.Malformed, $"an item of the list \"{name}\" lacks its merge key \"{key}\"");

    private static PatchException Malformed(string message) => new(PatchFailure.Malformed, "invalid strategic merge patch: " + message);
}
