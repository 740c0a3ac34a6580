using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Cel;
using Weft.Api.Cel.Rules;
using Weft.Api.Schemas;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>`x-kubernetes-validations` of a whole schema: each rule compiles against the types of its value, can know that value again if it compares, and cannot cost too much.</summary>
internal static class SchemaRules
{
    // Kubernetes' limit.
    private const int MaxMessage = 2048;

    private static readonly string[] Reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

    /// <summary>Where a rule stands.</summary>
    /// <param name="Uncorrelated">Path of the list above that has no keys by which an item would be known again; null outside of such.</param>
    /// <param name="Count">How often the value may be there; null below a list or map without a limit, where only the size of a request is one.</param>
    private sealed record Place(string? Uncorrelated, long? Count)
    {
        public long? Times(long? most) => Count is { } count && most is { } times ? Estimator.Times(count, times) : null;
    }

    public static void Check(Field schema, List<FieldError> errors)
    {
        // Any kind will do: it makes the schema that of an object with metadata.
        if (schema.Value is JsonObject tree)
            Walk(schema, CrdSchema.FromCrd(tree, new GroupVersionKind("", "", "")), new Place(null, 1), errors);
    }

    private static void Walk(Field at, Schema schema, Place place, List<FieldError> errors)
    {
        if (!schema.HasRules)
            return;
        var rules = at["x-kubernetes-validations"].Items.ToList();
        for (var i = 0; i < rules.Count && i < schema.Rules.Count; i++)
            errors.AddRange(Rule(rules[i], schema.Rules[i], schema, place));

        foreach (var (name, member) in at["properties"].Entries)
        {
            if (schema.Properties.TryGetValue(name, out var inner))
                Walk(member, inner, place, errors);
        }
        if (schema.AdditionalProperties is { } values)
            Walk(at["additionalProperties"], values, place with { Count = place.Times(schema.MaxProperties) }, errors);
        if (schema.Items is { } items)
        {
            var known = schema.ListType == ListType.Map ? place.Uncorrelated : place.Uncorrelated ?? at["items"].Path;
            Walk(at["items"], items, new Place(known, place.Times(schema.MaxItems)), errors);
        }
    }

    private static IEnumerable<FieldError> Rule(Field at, CompiledRule rule, Schema schema, Place place)
    {
        var text = at["rule"];
        foreach (var error in Texts(at, schema))
            yield return error;
        if (string.IsNullOrWhiteSpace(text.Text))
        {
            yield return text.Required("rule is not specified");
            yield break;
        }
        foreach (var error in rule.Errors)
            yield return text.Invalid($"compilation failed: {error.In(text.TextOrEmpty)}");
        foreach (var error in rule.MessageErrors)
            yield return at["messageExpression"].Invalid($"messageExpression compilation failed: {error.In(at["messageExpression"].TextOrEmpty)}");
        if (rule.Program is not { } program)
            yield break;

        if (rule.IsTransition && place.Uncorrelated is { } list)
            yield return text.Invalid($"oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
        if (at["optionalOldSelf"].Exists && !program.Uses("oldSelf"))
            yield return at["optionalOldSelf"].Invalid("may not be set if oldSelf is not used in rule");
        var cost = Estimator.Times(program.EstimatedCost, place.Count ?? Estimator.MostOf(LeastSize(schema)));
        if (cost > CelLimits.Estimate)
        {
            yield return text.Forbidden($"estimated rule cost exceeds budget by factor of {cost / (double)CelLimits.Estimate:0.#}x (try simplifying the rule, or adding maxItems, "
                + "maxProperties, and maxLength where arrays, maps, and strings are declared)");
        }
    }

    // Bytes of the smallest JSON of such a value, as Kubernetes counts them.
    private static long LeastSize(Schema schema) => schema.Type switch
    {
        SchemaType.Integer or SchemaType.Number => 1,
        SchemaType.Boolean => 4,
        SchemaType.String or SchemaType.Array => 2,
        SchemaType.Object => 2 + schema.Required.Sum(name => schema.Properties.TryGetValue(name, out var member) && member.Default is null ? name.Length + 4 + LeastSize(member) : 0),
        _ => 1,
    };

    private static IEnumerable<FieldError> Texts(Field at, Schema schema)
    {
        var (message, expression, reason, path) = (at["message"], at["messageExpression"], at["reason"], at["fieldPath"]);
        if (message.Text is { } text)
        {
            if (string.IsNullOrWhiteSpace(text))
                yield return message.Invalid("message must be non-empty if specified");
            if (text.Contains('\n'))
                yield return message.Invalid("message must not contain line breaks");
            if (text.Length > MaxMessage)
                yield return message.Invalid($"message must not exceed a length of {MaxMessage} characters");
        }
        else if (at["rule"].TextOrEmpty.Contains('\n') && !expression.Exists)
            yield return message.Required("message must be specified if rule contains line breaks");
        if (expression.Text is { } made && string.IsNullOrWhiteSpace(made))
            yield return expression.Required("must be non-empty if specified");
        if (reason.Text is { } word && !Reasons.Contains(word))
            yield return reason.Unsupported(Reasons);
        if (path.Text is { } field)
        {
            if (RulePath.Parse(field) is not { } names)
                yield return path.Invalid("fieldPath must be a path of members such as .spec.names['first.name']");
            else if (!RulePath.Exists(names, schema))
                yield return path.Invalid("fieldPath must be a valid path: the schema has no such field");
        }
    }
}
