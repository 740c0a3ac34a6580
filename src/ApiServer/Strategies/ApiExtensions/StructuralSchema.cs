using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>
/// The rules of a structural schema: every value has a type, and types stand only in the main structure, never inside allOf, anyOf, oneOf and not.
/// Pruning, defaulting and apply rely on it.
/// </summary>
internal static class StructuralSchema
{
    // One bad schema must not make an answer of megabytes, nor one deep one exhaust the stack.
    private const int MaxErrors = 100;
    private const int MaxDepth = 100;

    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];
    private static readonly string[] Banned = ["$ref", "id", "$schema", "definitions", "dependencies", "patternProperties", "additionalItems"];
    private static readonly string[] Junctors = ["allOf", "anyOf", "oneOf"];

    // Say something of the structure: not inside a junctor.
    private static readonly string[] OnlyOutside = ["type", "description", "default", "additionalProperties", "nullable", "title",
        "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys", "x-kubernetes-map-type"];

    public static IReadOnlyList<FieldError> Validate(Field schema)
    {
        var errors = new List<FieldError>();
        if (schema["type"].Text != "object")
            errors.Add(schema["type"].Exists ? schema["type"].Invalid("must be object at the root") : schema["type"].Required("must not be empty at the root"));
        Walk(schema, errors, root: true, depth: 0);
        return errors.Count > MaxErrors ? errors[..MaxErrors] : errors;
    }

    private static void Walk(Field schema, List<FieldError> errors, bool root, int depth)
    {
        if (errors.Count > MaxErrors)
            return;
        if (depth > MaxDepth)
        {
            errors.Add(schema.Forbidden($"nested deeper than {MaxDepth} levels"));
            return;
        }

        var type = schema["type"];
        var free = schema["x-kubernetes-int-or-string"].IsTrue || schema["x-kubernetes-preserve-unknown-fields"].IsTrue;
        if (!root && !type.Exists && !free)
            errors.Add(type.Required("must not be empty for specified object fields"));
        if (type.Exists && !Types.Contains(type.TextOrEmpty))
            errors.Add(type.Unsupported(Types));
        if (schema["x-kubernetes-int-or-string"].IsTrue && type.Exists)
            errors.Add(type.Forbidden("must be empty if x-kubernetes-int-or-string is true"));
        if (schema["x-kubernetes-embedded-resource"].IsTrue && type.Text != "object")
            errors.Add(type.Invalid("must be object if x-kubernetes-embedded-resource is true"));
        if (schema["x-kubernetes-preserve-unknown-fields"].Flag == false)
            errors.Add(schema["x-kubernetes-preserve-unknown-fields"].Invalid("must be true or undefined"));

        foreach (var name in Banned)
        {
            if (schema[name].Exists)
                errors.Add(schema[name].Forbidden($"{name} is not supported"));
        }
        if (schema["uniqueItems"].IsTrue)
            errors.Add(schema["uniqueItems"].Forbidden("uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        if (schema["additionalProperties"].Exists && schema["properties"].Count > 0)
            errors.Add(schema["additionalProperties"].Forbidden("additionalProperties and properties are mutual exclusive"));
        if (schema["additionalProperties"].Flag == false)
            errors.Add(schema["additionalProperties"].Forbidden("additionalProperties cannot be set to false"));

        Lists(schema, errors);
        Default(schema, errors);
        foreach (var junctor in Junctors)
        {
            foreach (var part in schema[junctor].Items)
                Inside(part, schema, errors, depth + 1);
        }
        if (schema["not"].Exists)
            Inside(schema["not"], schema, errors, depth + 1);

        foreach (var (_, member) in schema["properties"].Entries)
            Walk(member, errors, root: false, depth + 1);
        if (schema["items"].Value is JsonArray)
            errors.Add(schema["items"].Forbidden("items must be a schema object and not an array"));
        else if (schema["items"].Exists)
            Walk(schema["items"], errors, root: false, depth + 1);
        else if (type.Text == "array")
            errors.Add(schema["items"].Required("must be specified"));
        if (schema["additionalProperties"].Value is JsonObject)
            Walk(schema["additionalProperties"], errors, root: false, depth + 1);
    }

    // A default is set without being asked: it must itself be a value of the schema.
    private static void Default(Field schema, List<FieldError> errors)
    {
        if (schema["default"] is not { Exists: true } given || schema.Value is not JsonObject tree)
            return;
        foreach (var error in StructuralValidator.Validate(given.Value, CrdSchema.FromCrd(tree)))
            errors.Add(given.Invalid(error.Path.Length == 0 ? error.Message : error.ToString()));
    }

    private static void Lists(Field schema, List<FieldError> errors)
    {
        var (kind, keys, items) = (schema["x-kubernetes-list-type"], schema["x-kubernetes-list-map-keys"], schema["items"]);
        if (schema["x-kubernetes-map-type"].Text is { } map && map is not ("granular" or "atomic"))
            errors.Add(schema["x-kubernetes-map-type"].Unsupported(["atomic", "granular"]));
        if (!kind.Exists)
        {
            if (keys.Count > 0)
                errors.Add(kind.Required("must be map if x-kubernetes-list-map-keys is non-empty"));
            return;
        }
        if (kind.Text is not ("atomic" or "set" or "map"))
            errors.Add(kind.Unsupported(["atomic", "set", "map"]));
        if (schema["type"].Text != "array")
            errors.Add(schema["type"].Invalid("must be array if x-kubernetes-list-type is specified"));
        if (kind.Text != "map")
            return;

        if (keys.Count == 0)
            errors.Add(keys.Required("must not be empty if x-kubernetes-list-type is map"));
        if (items["type"].Text != "object")
            errors.Add(items["type"].Invalid("must be object if parent array's x-kubernetes-list-type is map"));
        foreach (var key in keys.Items)
        {
            var property = items["properties"].At(key.TextOrEmpty);
            if (!property.Exists)
                errors.Add(key.Invalid("entries must all be names of item properties"));
            else if (!property["default"].Exists && !items["required"].Items.Any(name => name.Text == key.Text))
                errors.Add(property["default"].Required("this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
        }
    }

    // Value validation below a junctor: no structure, and only of members that the structure names.
    private static void Inside(Field schema, Field structure, List<FieldError> errors, int depth)
    {
        if (errors.Count > MaxErrors || depth > MaxDepth)
            return;
        var intOrString = structure["x-kubernetes-int-or-string"].IsTrue;
        foreach (var name in OnlyOutside)
        {
            // The one exception: anyOf [{type: integer}, {type: string}] beside x-kubernetes-int-or-string.
            if (schema[name].Exists && !(intOrString && name == "type"))
                errors.Add(schema[name].Forbidden("must be empty to be structural"));
        }
        foreach (var (name, member) in schema["properties"].Entries)
        {
            var outer = structure["properties"].At(name);
            var values = structure["additionalProperties"];
            if (!outer.Exists && values.Value is not JsonObject)
                errors.Add(structure["properties"].At(name).Required($"because it is defined in {member.Path}"));
            else
                Inside(member, outer.Exists ? outer : values, errors, depth + 1);
        }
        if (schema["items"].Value is JsonObject)
            Inside(schema["items"], structure["items"], errors, depth + 1);
        foreach (var junctor in Junctors)
        {
            foreach (var part in schema[junctor].Items)
                Inside(part, structure, errors, depth + 1);
        }
        if (schema["not"].Exists)
            Inside(schema["not"], structure, errors, depth + 1);
    }
}
