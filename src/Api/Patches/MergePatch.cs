using System.Text.Json.Nodes;

namespace Weft.Api.Patches;

/// <summary>JSON merge patch (RFC 7386). Neither argument is changed.</summary>
public static class MergePatch
{
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();

        var result = target is JsonObject ? (JsonObject)target.DeepClone() : [];
        Merge(result, changes);
        return result;
    }

    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, change) in changes)
        {
            if (change is null)
                target.Remove(name);
            else if (change is not JsonObject inner)
                target[name] = change.DeepClone();
            else if (target[name] is JsonObject existing)
                Merge(existing, inner);
            else
            {
                // Also into an empty object: nulls inside the patch are removals, never values.
                var created = new JsonObject();
                Merge(created, inner);
                target[name] = created;
            }
        }
    }

    /// <summary>The patch that makes <paramref name="to"/> of <paramref name="from"/>, as far as a merge patch can say it (it cannot set a null).</summary>
    public static JsonObject Diff(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, _) in from)
            if (!to.ContainsKey(name))
                patch[name] = null;
        foreach (var (name, wanted) in to)
        {
            if (!from.TryGetPropertyValue(name, out var existing))
                patch[name] = wanted?.DeepClone();
            else if (existing is JsonObject a && wanted is JsonObject b)
            {
                if (Diff(a, b) is { Count: > 0 } inner)
                    patch[name] = inner;
            }
            else if (!JsonNode.DeepEquals(existing, wanted))
                patch[name] = wanted?.DeepClone();
        }
        return patch;
    }
}
