using System.Text.Json.Nodes;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>allOf, anyOf, oneOf and not hold value validations alone, of members that the structure beside them names.</summary>
internal static class SchemaJunctors
{
    private const int MaxDepth = 100;
    private static readonly string[] Lists = ["allOf", "anyOf", "oneOf"];

    // Say something of the structure: not inside a junctor.
    private static readonly string[] OnlyOutside = ["type", "description", "default", "additionalProperties", "nullable", "title",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-validations"];

    public static void Check(Field structure, SchemaErrors errors) => Parts(structure, structure, errors, 0);

    private static void Parts(Field schema, Field structure, SchemaErrors errors, int depth)
    {
        foreach (var junctor in Lists)
        {
            if (structure["x-kubernetes-int-or-string"].IsTrue && depth == 0 && SaysIntOrString(schema, junctor))
                continue;
            foreach (var part in schema[junctor].Items)
                Inside(part, structure, errors, depth + 1);
        }
        if (schema["not"].Exists)
            Inside(schema["not"], structure, errors, depth + 1);
    }

    // The one exception beside x-kubernetes-int-or-string: anyOf [integer, string], or the same as the first part of allOf.
    private static bool SaysIntOrString(Field schema, string junctor) => junctor switch
    {
        "anyOf" => IsPair(schema["anyOf"]),
        "allOf" => schema["allOf"].Items.FirstOrDefault() is { } first && first.Value is JsonObject { Count: 1 } && IsPair(first["anyOf"]),
        _ => false,
    };

    private static bool IsPair(Field list) =>
        list.Count == 2 && list.Items.All(item => item.Value is JsonObject { Count: 1 }) && list.Items.Select(item => item["type"].TextOrEmpty).SequenceEqual(["integer", "string"]);

    private static void Inside(Field schema, Field structure, SchemaErrors errors, int depth)
    {
        if (depth > MaxDepth)
        {
            errors.Add(schema.Forbidden($"nested deeper than {MaxDepth} levels"));
            return;
        }
        foreach (var name in OnlyOutside)
        {
            if (schema[name].Exists)
                errors.Add(schema[name].Forbidden("must be empty to be structural"));
        }
        errors.CheckPattern(schema["pattern"]);
        foreach (var (name, member) in schema["properties"].Entries)
        {
            var outer = structure["properties"].At(name);
            var values = structure["additionalProperties"];
            if (!outer.Exists && values.Value is not JsonObject)
                errors.Add(outer.Required($"because it is defined in {member.Path}"));
            else
                Inside(member, outer.Exists ? outer : values, errors, depth + 1);
        }
        if (schema["items"].Value is JsonObject)
        {
            if (structure["items"].Value is JsonObject)
                Inside(schema["items"], structure["items"], errors, depth + 1);
            else
                errors.Add(structure["items"].Required($"because it is defined in {schema["items"].Path}"));
        }
        Parts(schema, structure, errors, depth);
    }
}
