using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Cel.Rules;

/// <summary>
/// Holds a tree against the rules of its schema. A rule looks at its own value: absent and null ones have none, and one that did not change keeps what it was
/// let in with, unless the rule compares with the old value.
/// </summary>
public sealed class RuleValidator
{
    // Kubernetes' limit of a message that an expression makes.
    private const int MaxMessage = 5 * 1024;
    private const int MaxErrors = 200;

    private readonly FieldPath _path = new();
    private readonly List<FieldError> _errors = [];
    private long _budget;

    private RuleValidator(long budget) => _budget = budget;

    /// <param name="tree">Already fits the schema otherwise.</param>
    /// <param name="old">The stored value, or null at creation.</param>
    public static IReadOnlyList<FieldError> Validate(JsonNode tree, Schema schema, JsonNode? old, long budget = CelLimits.PerObject)
    {
        if (!schema.HasRules)
            return [];
        var validator = new RuleValidator(budget);
        try
        {
            validator.Node(tree, schema, old);
        }
        catch (CelBudgetException)
        {
            validator._errors.Add(FieldError.Forbidden(validator._path.ToString(), "validation failed due to running out of cost budget, no further validation rules will be run"));
        }
        return validator._errors;
    }

    private void Node(JsonNode? node, Schema schema, JsonNode? old)
    {
        if (node is null || !schema.HasRules || _errors.Count >= MaxErrors)
            return;
        bool? changed = null;
        foreach (var rule in schema.Rules)
        {
            if (rule.IsTransition && old is null)
                continue;
            // Ratcheting: an unchanged value was taken before, perhaps under other rules.
            if (old is not null && rule.Program?.Uses("oldSelf") == false && !(changed ??= !JsonNode.DeepEquals(node, old)))
                continue;
            Apply(rule, node, schema, old);
        }

        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    if (schema.Member(name) is not { } member)
                        continue;
                    if (schema.Properties.ContainsKey(name))
                        _path.Push(name);
                    else
                        _path.PushKey(name);
                    Node(value, member, (old as JsonObject)?[name]);
                    _path.Pop();
                }
                break;
            case JsonArray list when schema.Items is { HasRules: true } items:
                // Items of other lists have nothing by which one would be known again.
                var before = schema.ListType == ListType.Map ? StructuralValidator.ByKey(old as JsonArray ?? [], schema) : null;
                for (var i = 0; i < list.Count; i++)
                {
                    _path.Push(i);
                    Node(list[i], items, before?.GetValueOrDefault(StructuralValidator.KeyOf(list[i], schema)));
                    _path.Pop();
                }
                break;
        }
    }

    private void Apply(CompiledRule rule, JsonNode node, Schema schema, JsonNode? old)
    {
        if (rule.Program is null)
        {
            // Its definition was taken by a server that knew another language of rules: better to refuse than to let pass.
            Add(rule, node, schema, $"the rule cannot be compiled: {rule.Errors[0].Message}");
            return;
        }
        var (self, before) = (CelInput.Of(node, schema), rule.Source.OptionalOldSelf ? CelInput.Maybe(old, schema) : CelInput.Of(old, schema));
        var outcome = Run(rule.Program, self, before);
        if (outcome.IsTrue)
            return;
        if (outcome.Error is { } error)
            Add(rule, node, schema, $"{error} evaluating rule: {Fixed(rule)}");
        else
            Add(rule, node, schema, Made(rule, self, before) ?? Fixed(rule));
    }

    private CelOutcome Run(CelProgram program, CelInput self, CelInput before)
    {
        var granted = Math.Min(CelLimits.PerExpression, _budget);
        var outcome = program.Evaluate(granted, ("self", self), ("oldSelf", before));
        _budget -= granted - outcome.Left;
        return outcome;
    }

    private static string Fixed(CompiledRule rule) => rule.Source.Message is { Length: > 0 } message ? message.Trim() : $"failed rule: {rule.Source.Rule.Trim()}";

    // An expression that fails, or makes nothing that can be shown, gives way to the fixed message.
    private string? Made(CompiledRule rule, CelInput self, CelInput before) =>
        rule.Message is not null && Run(rule.Message, self, before).Text is { } text && text.Trim().Length > 0 && text.Length <= MaxMessage && !text.Contains('\n') ? text.Trim() : null;

    private void Add(CompiledRule rule, JsonNode node, Schema schema, string message)
    {
        var here = _path.ToString();
        var path = rule.Source.FieldPath is { } field && RulePath.Parse(field) is { } names ? RulePath.Below(here, names, schema) : here;
        // A whole object would bury the message.
        var value = node switch { JsonObject => "\"object\"", JsonArray => "\"array\"", _ => node.ToJsonString() };
        _errors.Add(rule.Source.Reason switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(path, message),
            "FieldValueRequired" => FieldError.Required(path, message),
            "FieldValueDuplicate" => new FieldError(FieldErrorKind.Duplicate, path, value, message),
            _ => FieldError.Invalid(path, value, message),
        });
    }
}
