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

    /// <summary>Below a resource's own members only names may be restricted: the rest of metadata belongs to the server.</summary>
    private enum Place { Root, Member, Metadata }

    public static IReadOnlyList<FieldError> Validate(Field schema)
    {
        var errors = new SchemaErrors();
        if (schema["type"].Text != "object")
            errors.Add(schema["type"].Exists ? schema["type"].Invalid("must be object at the root") : schema["type"].Required("must not be empty at the root"));
        Walk(schema, errors, Place.Root, depth: 0);
        // Rules are compiled against the types of the schema, so it must have them.
        if (errors.Count == 0)
            SchemaRules.Check(schema, errors);
        return errors.Count > MaxErrors ? errors.GetRange(0, MaxErrors) : errors;
    }

    private static void Walk(Field schema, SchemaErrors errors, Place place, int depth)
    {
        if (errors.Count > MaxErrors)
            return;
        if (depth > MaxDepth)
        {
            errors.Add(schema.Forbidden($"nested deeper than {MaxDepth} levels"));
            return;
        }

        Type(schema, errors, place);
        Keywords(schema, errors, place);
        SchemaListRules.Check(schema, errors);
        Default(schema, errors, place);
        SchemaJunctors.Check(schema, errors);

        var isResource = place == Place.Root || schema["x-kubernetes-embedded-resource"].IsTrue;
        if (isResource)
            ResourceMembers(schema["properties"], errors);
        foreach (var (name, member) in schema["properties"].Entries)
            Walk(member, errors, isResource && name == "metadata" ? Place.Metadata : Place.Member, depth + 1);
        if (schema["items"].Value is JsonArray)
            errors.Add(schema["items"].Forbidden("items must be a schema object and not an array"));
        else if (schema["items"].Exists)
            Walk(schema["items"], errors, Place.Member, depth + 1);
        else if (schema["type"].Text == "array")
            errors.Add(schema["items"].Required("must be specified"));
        if (schema["additionalProperties"].Value is JsonObject)
            Walk(schema["additionalProperties"], errors, Place.Member, depth + 1);
    }

    private static void Type(Field schema, SchemaErrors errors, Place place)
    {
        var type = schema["type"];
        var (intOrString, preserves, embedded) = (schema["x-kubernetes-int-or-string"], schema["x-kubernetes-preserve-unknown-fields"], schema["x-kubernetes-embedded-resource"]);
        if (place != Place.Root && !type.Exists && !intOrString.IsTrue && !preserves.IsTrue)
            errors.Add(type.Required("must not be empty for specified object fields"));
        if (type.Exists && !Types.Contains(type.TextOrEmpty))
            errors.Add(type.Unsupported(Types));
        if (intOrString.IsTrue && type.Exists)
            errors.Add(type.Forbidden("must be empty if x-kubernetes-int-or-string is true"));
        if (intOrString.IsTrue && preserves.IsTrue)
            errors.Add(preserves.Forbidden("must be false if x-kubernetes-int-or-string is true"));
        if (intOrString.IsTrue && embedded.IsTrue)
            errors.Add(embedded.Forbidden("must be false if x-kubernetes-int-or-string is true"));
        if (preserves.Flag == false)
            errors.Add(preserves.Invalid("must be true or undefined"));
        if (embedded.IsTrue && type.Text != "object")
            errors.Add(type.Exists ? type.Invalid("must be object if x-kubernetes-embedded-resource is true") : type.Required("must be object if x-kubernetes-embedded-resource is true"));
        if (embedded.IsTrue && !preserves.IsTrue && schema["properties"].Count == 0)
            errors.Add(schema["properties"].Required("must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"));
        if (embedded.IsTrue && place == Place.Root)
            errors.Add(embedded.Forbidden("must not be used at the root"));
    }

    private static void Keywords(Field schema, SchemaErrors errors, Place place)
    {
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
        if (schema["additionalProperties"].Exists && place == Place.Root)
            errors.Add(schema["additionalProperties"].Forbidden("additionalProperties cannot be used at the root"));
        if (schema["nullable"].IsTrue && place == Place.Root)
            errors.Add(schema["nullable"].Forbidden("nullable cannot be true at the root"));
        errors.CheckPattern(schema["pattern"]);
        if (schema["x-kubernetes-map-type"] is { Exists: true } map)
        {
            if (map.Text is not ("granular" or "atomic"))
                errors.Add(map.Unsupported(["atomic", "granular"]));
            if (schema["type"].Text != "object")
                errors.Add(schema["type"].Invalid("must be object if x-kubernetes-map-type is specified"));
        }
        if (place != Place.Metadata)
            return;

        foreach (var (name, _) in schema["properties"].Entries)
        {
            if (name is not ("name" or "generateName"))
                errors.Add(schema["properties"].At(name).Forbidden("must not specify anything other than name and generateName, but metadata is implicitly specified"));
        }
        foreach (var name in (ReadOnlySpan<string>)["additionalProperties", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-validations"])
        {
            if (schema[name].Exists)
                errors.Add(schema[name].Forbidden("must not be used in metadata, which is implicitly specified"));
        }
    }

    private static void ResourceMembers(Field properties, SchemaErrors errors)
    {
        foreach (var (name, type) in ((string, string)[])[("apiVersion", "string"), ("kind", "string"), ("metadata", "object")])
        {
            if (properties.At(name) is { Exists: true } member && member["type"].Text != type)
                errors.Add(member["type"].Invalid($"must be {type}"));
        }
    }

    // A default is set without being asked: it must itself be a value of the schema.
    private static void Default(Field schema, SchemaErrors errors, Place place)
    {
        if (schema["default"] is not { Exists: true } given || schema.Value is not JsonObject tree)
            return;
        if (place == Place.Root)
            errors.Add(given.Forbidden("must not be set at the root"));
        if (place == Place.Metadata)
            errors.Add(given.Forbidden("must not be set in metadata"));
        var shape = CrdSchema.FromCrd(tree);
        if (given.Value is JsonObject members && Pruner.Prune((JsonObject)members.DeepClone(), shape) is { Count: > 0 } unknown)
            errors.Add(given.Invalid($"must not have unknown fields: {string.Join(", ", unknown)}"));
        // What defaults below it complete need not stand in it.
        var whole = given.Value!.DeepClone();
        Defaulter.Apply(whole, shape);
        foreach (var error in StructuralValidator.Validate(whole, shape, checkListKeys: true))
            errors.Add(given.Invalid(error.Path.Length == 0 ? error.Message : error.ToString()));
    }
}

/// <summary>The errors of one schema.</summary>
internal sealed class SchemaErrors : List<FieldError>
{
    // A schema repeats its patterns, and looking at one takes milliseconds.
    private readonly Dictionary<string, string?> _problems = [];

    public void CheckPattern(Field pattern)
    {
        if (pattern.Text is not { } text)
            return;
        if (!_problems.TryGetValue(text, out var problem))
            _problems[text] = problem = new PatternMatcher(text).Problem;
        if (problem is not null)
            Add(pattern.Invalid($"must be a valid regular expression, but isn't: {problem}"));
    }
}
