using System.Text.Json.Nodes;

namespace Weft.Api.Istio;

/// <summary>
/// Members that this mesh reads or writes and Istio's own definitions do not know: old forms, and what is wrong with an object. Who applies those definitions over the
/// program's would otherwise have them pruned without a word, and with them what a manifest says.
/// </summary>
public static class KeptMembers
{
    private static readonly string[] Groups = ["networking.istio.io", "security.istio.io", "telemetry.istio.io"];

    private static readonly Member[] OfAll =
    [
        new(["status", "validationMessages", "[]", "field"], "Path of the field."),
        new(["status", "validationMessages", "[]", "message"], "What is wrong, and what to do."),
    ];

    private static readonly Member[] OfVirtualServices =
    [
        new(["spec", "http", "[]", "rewrite", "regex"], "Old form of uriRegexRewrite.match."),
        new(["spec", "http", "[]", "rewrite", "replacement"], "Old form of uriRegexRewrite.rewrite, with $1 for groups."),
    ];

    // Where hosts of entries keep what they were given: older definitions of Istio's, and of this program's, have no place for it.
    private static readonly Member[] OfServiceEntries =
    [
        new(["status", "addresses"], "Addresses of hosts that have none of their own.",
            """{"type":"array","items":{"type":"object","properties":{"host":{"type":"string"},"value":{"type":"string"}}}}"""),
    ];

    private sealed record Member(string[] Path, string Description, string Schema = """{"type":"string"}""");

    /// <summary>The schema as it is, or a copy that knows the members as well, where it knows what they stand in.</summary>
    public static JsonObject In(string group, string plural, JsonObject schema)
    {
        if (!Groups.Contains(group))
            return schema;
        Member[] members = plural switch
        {
            "virtualservices" => [.. OfAll, .. OfVirtualServices],
            "serviceentries" => [.. OfAll, .. OfServiceEntries],
            _ => OfAll,
        };
        var missing = members.Where(member => Parent(schema, member.Path) is { } parent && !parent.ContainsKey(member.Path[^1])).ToList();
        if (missing.Count == 0)
            return schema;
        var copy = (JsonObject)schema.DeepClone();
        foreach (var (path, description, text) in missing)
        {
            var member = JsonNode.Parse(text)!.AsObject();
            member["description"] = description;
            Parent(copy, path)![path[^1]] = member;
        }

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
