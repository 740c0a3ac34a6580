using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Trees;

/// <summary>Holds a tree against a schema and reports every error, in the words of Kubernetes' schema validation. Unknown fields are the pruner's business.</summary>
public sealed class StructuralValidator
{
    // One bad object must not make an answer of megabytes.
    private const int MaxErrors = 200;

    private readonly FieldPath _path = new();
    private readonly List<FieldError> _errors = [];
    private readonly bool _checkListKeys;

    private bool _ratchet;

    // Above 0 inside a value that did not change.
    private int _unchanged;

    private StructuralValidator(bool checkListKeys) => _checkListKeys = checkListKeys;

    /// <param name="old">The stored object, against which immutable fields are held; null at creation.</param>
    /// <param name="checkListKeys">
    /// Refuse two items with one key (custom kinds). Built-in kinds have lists whose merge key may repeat (`env`), and their strategies judge them.
    /// </param>
    /// <param name="ratchet">
    /// A value that did not change keeps what it was let in with, should its schema have become stricter since (custom kinds). Not so what is missing, what combines
    /// schemas (allOf, anyOf, oneOf, not), and keys that repeat.
    /// </param>
    public static IReadOnlyList<FieldError> Validate(JsonNode? tree, Schema schema, JsonNode? old = null, bool checkListKeys = false, bool ratchet = false)
    {
        var validator = new StructuralValidator(checkListKeys) { _ratchet = ratchet };
        validator.Node(tree, schema, old, hasOld: old is not null);
        return validator._errors;
    }

    private string Where => _path.ToString();

    private void Add(FieldError error)
    {
        if (_unchanged > 0 && error.Kind is not (FieldErrorKind.Required or FieldErrorKind.Duplicate))
            return;
        Keep(error);
    }

    private void Keep(FieldError error)
    {
        if (_errors.Count < MaxErrors)
            _errors.Add(error);
    }

    private void Invalid(JsonNode? value, string sentence) => Add(FieldError.Invalid(Where, Shown(value), $"{Where} in body {sentence}"));

    private void Node(JsonNode? node, Schema schema, JsonNode? old, bool hasOld)
    {
        var unchanged = _ratchet && (_unchanged > 0 || hasOld && JsonNode.DeepEquals(node, old));
        _unchanged += unchanged ? 1 : 0;
        Value(node, schema, old, hasOld);
        _unchanged -= unchanged ? 1 : 0;
    }

    private void Value(JsonNode? node, Schema schema, JsonNode? old, bool hasOld)
    {
        if (node is null)
        {
            if (!schema.Nullable && schema is not { Type: SchemaType.Any })
                WrongType(node, schema);
            return;
        }
        if (!HasType(node, schema))
        {
            WrongType(node, schema);
            return;
        }
        if (schema.Enum.Count > 0 && !schema.Enum.Any(e => JsonNode.DeepEquals(e, node)))
            Add(new FieldError(FieldErrorKind.NotSupported, Where, Shown(node), "supported values: " + string.Join(", ", schema.Enum.Select(Shown))));

        switch (node)
        {
            case JsonObject members: Object(members, schema, old as JsonObject, hasOld); break;
            case JsonArray list: List(list, schema, old as JsonArray); break;
            default: Scalar(node, schema); break;
        }
        Combinations(node, schema);
    }

    private void Object(JsonObject members, Schema schema, JsonObject? old, bool hasOld)
    {
        foreach (var name in schema.Required)
            if (!members.ContainsKey(name))
                Add(FieldError.Required(_path.Child(name)));
        if (members.Count < schema.MinProperties)
            Invalid(members, $"should have at least {schema.MinProperties} properties");
        if (members.Count > schema.MaxProperties)
            Add(new FieldError(FieldErrorKind.TooMany, Where, Text(members.Count), $"must have at most {schema.MaxProperties} items"));

        foreach (var (name, value) in members)
        {
            var known = schema.Properties.TryGetValue(name, out var member);
            member ??= schema.AdditionalProperties;
            if (member is null)
                continue;
            var oldValue = old?[name];
            if (known)
                _path.Push(name);
            else
                _path.PushKey(name);
            if (known && member.Immutable && hasOld && !JsonNode.DeepEquals(value, oldValue))
                Add(FieldError.Invalid(Where, Shown(value), "field is immutable"));
            else
                Node(value, member, oldValue, hasOld && oldValue is not null);
            _path.Pop();
        }
        if (old is null)
            return;
        foreach (var (name, value) in old)
            if (value is not null && !members.ContainsKey(name) && schema.Properties.TryGetValue(name, out var member) && member.Immutable)
                Add(FieldError.Invalid(_path.Child(name), "null", "field is immutable"));
    }

    private void List(JsonArray list, Schema schema, JsonArray? old)
    {
        if (list.Count < schema.MinItems)
            Invalid(list, $"should have at least {schema.MinItems} items");
        if (list.Count > schema.MaxItems)
            Add(new FieldError(FieldErrorKind.TooMany, Where, Text(list.Count), $"must have at most {schema.MaxItems} items"));
        if (schema.UniqueItems && list.Select(Shown).Distinct().Count() != list.Count)
            Invalid(list, "shouldn't contain duplicates");

        var keys = _checkListKeys && schema.ListType != ListType.Atomic ? new HashSet<string>() : null;
        var oldByKey = old is not null && schema.ListType == ListType.Map ? ByKey(old, schema) : null;
        for (var i = 0; i < list.Count; i++)
        {
            _path.Push(i);
            var key = keys is null && oldByKey is null ? "" : schema.ListType == ListType.Map ? KeyOf(list[i], schema) : Shown(list[i]);
            if (keys is not null && !keys.Add(key))
                Add(FieldError.Duplicate(Where, key));
            if (schema.Items is { } items)
            {
                var before = oldByKey?.GetValueOrDefault(key);
                Node(list[i], items, before, hasOld: before is not null);
            }
            _path.Pop();
        }
    }

    private void Scalar(JsonNode node, Schema schema)
    {
        if (node.AsText() is { } text)
        {
            var length = schema.MinLength is null && schema.MaxLength is null ? 0 : text.EnumerateRunes().Count();
            if (length < schema.MinLength)
                Invalid(node, $"should be at least {schema.MinLength} chars long");
            if (length > schema.MaxLength)
                Add(new FieldError(FieldErrorKind.TooLong, Where, null, $"may not be more than {schema.MaxLength} bytes"));
            if (schema.PatternMatcher is { } pattern)
                Pattern(node, text, schema, pattern);
            if (schema.Format is { } format && !Formats.IsValid(format, text))
                Invalid(node, $"must be of type {format}: {Shown(node)}");
        }
        else if (node.AsNumber() is { } number)
            Number(node, number, schema);
    }

    private void Pattern(JsonNode node, string text, Schema schema, PatternMatcher pattern)
    {
        switch (pattern.Matches(text))
        {
            case true:
                return;
            case false:
                Invalid(node, $"should match '{schema.Pattern}'");
                return;
            case null:
                var why = pattern.Problem ?? "the match took too long";
                Add(new FieldError(FieldErrorKind.Internal, Where, null, $"the pattern '{schema.Pattern}' of the schema cannot be checked: {why}"));
                return;
        }
    }

    private void Number(JsonNode node, double number, Schema schema)
    {
        if (schema.ExclusiveMinimum ? number <= schema.Minimum : number < schema.Minimum)
            Invalid(node, $"should be greater than {(schema.ExclusiveMinimum ? "" : "or equal to ")}{Text(schema.Minimum!.Value)}");
        if (schema.ExclusiveMaximum ? number >= schema.Maximum : number > schema.Maximum)
            Invalid(node, $"should be less than {(schema.ExclusiveMaximum ? "" : "or equal to ")}{Text(schema.Maximum!.Value)}");
        if (schema.MultipleOf is { } factor and > 0 && !IsMultiple(number, factor))
            Invalid(node, $"should be a multiple of {Text(factor)}");
        if (schema.Format == "int32" && number is (> int.MaxValue or < int.MinValue))
            Invalid(node, $"must be of type int32: {Shown(node)}");
        else if (schema.Format == "int64" && node.AsInteger() is null)
            Invalid(node, $"must be of type int64: {Shown(node)}");
    }

    // In decimal where it fits: 0.3 is a multiple of 0.1.
    private static bool IsMultiple(double number, double factor) =>
        Math.Abs(number) < 1e15 && factor > 1e-12 && factor < 1e15 ? (decimal)number % (decimal)factor == 0 : Math.Abs(Math.IEEERemainder(number, factor)) < double.Epsilon;

    private void Combinations(JsonNode node, Schema schema)
    {
        if (schema.AllOf.Count > 0)
        {
            // What stands in a combination is judged whether or not the value changed.
            var (before, unchanged) = (_errors.Count, _unchanged);
            _unchanged = 0;
            foreach (var part in schema.AllOf)
                Node(node, part, null, hasOld: false);
            _unchanged = unchanged;
            if (_errors.Count > before)
                Summary(node, "must validate all the schemas (allOf)");
        }
        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(s => Fits(node, s)))
            Summary(node, "must validate at least one schema (anyOf)");
        if (schema.OneOf.Count > 0 && schema.OneOf.Count(s => Fits(node, s)) is not 1 and var valid)
            Summary(node, "must validate one and only one schema (oneOf). " + (valid == 0 ? "Found none valid" : $"Found {valid} valid alternatives"));
        if (schema.Not is { } not && Fits(node, not))
            Summary(node, "must not validate the schema (not)");
    }

    private void Summary(JsonNode node, string sentence) => Keep(FieldError.Invalid(Where, Shown(node), $"\"{Where}\" {sentence}"));

    private bool Fits(JsonNode node, Schema schema)
    {
        var validator = new StructuralValidator(_checkListKeys);
        validator.Node(node, schema, null, hasOld: false);
        return validator._errors.Count == 0;
    }

    private void WrongType(JsonNode? node, Schema schema)
    {
        var actual = $"\"{TypeName(node)}\"";
        var wanted = schema.IntOrString ? "integer or string" : schema.Type.ToString().ToLowerInvariant();
        Add(new FieldError(FieldErrorKind.TypeInvalid, Where, actual, $"{Where} in body must be of type {wanted}: {actual}"));
    }

    private static bool HasType(JsonNode node, Schema schema)
    {
        var kind = node.GetValueKind();
        if (schema.IntOrString)
            return kind == JsonValueKind.String || kind == JsonValueKind.Number && IsWhole(node);
        return schema.Type switch
        {
            SchemaType.Object => kind == JsonValueKind.Object,
            SchemaType.Array => kind == JsonValueKind.Array,
            // A quantity may be written as a number: `cpu: 2`, `cpu: 0.5`.
            SchemaType.String => kind == JsonValueKind.String || kind == JsonValueKind.Number && IsQuantity(schema),
            SchemaType.Integer => kind == JsonValueKind.Number && IsWhole(node),
            SchemaType.Number => kind == JsonValueKind.Number,
            SchemaType.Boolean => kind is JsonValueKind.True or JsonValueKind.False,
            _ => true,
        };
    }

    private static bool IsQuantity(Schema schema) => schema.Format == "quantity" || schema.DefinitionName?.EndsWith(".resource.Quantity", StringComparison.Ordinal) == true;

    private static bool IsWhole(JsonNode node) => node.AsInteger() is not null || node.AsNumber() is { } number && Math.Floor(number) == number;

    private static string TypeName(JsonNode? node) => node?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => IsWhole(node) ? "integer" : "number",
        _ => "boolean",
    };

    internal static Dictionary<string, JsonNode?> ByKey(JsonArray list, Schema schema)
    {
        var byKey = new Dictionary<string, JsonNode?>();
        foreach (var item in list)
            byKey.TryAdd(KeyOf(item, schema), item);
        return byKey;
    }

    internal static string KeyOf(JsonNode? item, Schema schema)
    {
        var text = new StringBuilder("{");
        foreach (var key in schema.ListMapKeys)
            text.Append(text.Length > 1 ? "," : "").Append('"').Append(key).Append("\":").Append(Shown(item.At(key) ?? schema.Items?.Member(key)?.Default));
        return text.Append('}').ToString();
    }

    private static string Shown(JsonNode? node) => node is null ? "null" : Encoding.UTF8.GetString(JsonTree.WriteUtf8(node));

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
