using System.Text.Json.Nodes;

namespace Weft.Cli.Kubeconfigs;

/// <summary>Puts the cluster, user and context of one kubeconfig into another, or takes them out. Everything else stays as it was.</summary>
public static class KubeconfigMerge
{
    private static readonly string[] Lists = ["clusters", "users", "contexts"];

    /// <param name="into">The user's file; an empty object when there is none.</param>
    /// <param name="cluster">A kubeconfig with one entry of each list, all named <paramref name="name"/>. It becomes the current context.</param>
    public static JsonObject Add(JsonObject into, JsonObject cluster, string name)
    {
        var result = (JsonObject)into.DeepClone();
        result["apiVersion"] ??= "v1";
        result["kind"] ??= "Config";
        foreach (var list in Lists)
        {
            var entry = Entries(cluster, list).First(e => NameOf(e) == name).DeepClone();
            var entries = result[list] as JsonArray;
            if (entries is null)
                result[list] = entries = [];
            var index = IndexOf(entries, name);
            if (index >= 0)
                entries[index] = entry;
            else
                entries.Add(entry);
        }

        result["current-context"] = name;
        return result;
    }

    /// <summary>Null when nothing of the name was there.</summary>
    public static JsonObject? Remove(JsonObject from, string name)
    {
        var result = (JsonObject)from.DeepClone();
        var changed = false;
        foreach (var list in Lists)
        {
            if (result[list] is JsonArray entries && IndexOf(entries, name) is var index and >= 0)
            {
                entries.RemoveAt(index);
                changed = true;
            }
        }

        if ((string?)result["current-context"] == name)
        {
            // kubectl without a current context asks for localhost:8080, which helps nobody: fall back to what is left.
            result["current-context"] = result["contexts"] is JsonArray { Count: > 0 } left ? NameOf(left[0]!) : "";
            changed = true;
        }

        return changed ? result : null;
    }

    public static bool Contains(JsonObject config, string name) => Entries(config, "contexts").Any(entry => NameOf(entry) == name);

    private static IEnumerable<JsonNode> Entries(JsonObject config, string list) => (config[list] as JsonArray ?? []).OfType<JsonNode>();

    private static int IndexOf(JsonArray entries, string name) => entries.ToList().FindIndex(entry => entry is not null && NameOf(entry) == name);

    private static string? NameOf(JsonNode entry) => (string?)entry["name"];
}
