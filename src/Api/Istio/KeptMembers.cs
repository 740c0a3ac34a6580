using System.Text.Json.Nodes;

namespace Weft.Api.Istio;

/// <summary>
/// Members that this mesh reads or writes and Istio's own definitions do not know: old forms, and what is wrong with an object. Who applies those definitions over the
/// program's would otherwise have them pruned without a word, and with them what a manifest says.
/// </summary>
public static class KeptMembers
{
    private static readonly string[] Groups = ["networking.istio.io", "security.istio.io", "telemetry.istio.io"];

    private static readonly string[][] OfAll = [["status", "validationMessages", "[]", "field"], ["status", "validationMessages", "[]", "message"]];

    private static readonly string[][] OfVirtualServices = [["spec", "http", "[]", "rewrite", "regex"], ["spec", "http", "[]", "rewrite", "replacement"]];

    /// <summary>The schema as it is, or a copy that knows the members as well, where it knows what they stand in.</summary>
    public static JsonObject In(string group, string plural, JsonObject schema)
    {
        if (!Groups.Contains(group))
            return schema;
        string[][] paths = plural == "virtualservices" ? [.. OfAll, .. OfVirtualServices] : OfAll;
        var missing = paths.Where(path => Parent(schema, path) is { } parent && !parent.ContainsKey(path[^1])).ToList();
        if (missing.Count == 0)
            return schema;
        var copy = (JsonObject)schema.DeepClone();
        foreach (var path in missing)
            Parent(copy, path)![path[^1]] = new JsonObject { ["type"] = "string" };
        return copy;
    }

    // One without members takes everything, or nothing on purpose.
    private static JsonObject? Parent(JsonObject schema, string[] path)
    {
        var place = schema;
        foreach (var step in path[..^1])
            place = (step == "[]" ? place?["items"] : (place?["properties"] as JsonObject)?[step]) as JsonObject;
        return place?["properties"] as JsonObject;
    }
}
