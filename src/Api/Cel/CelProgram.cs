using System.Text.Json.Nodes;
using Weft.Api.Cel.Library;
using Weft.Api.Schemas;

namespace Weft.Api.Cel;

/// <summary>A value for a variable of an expression.</summary>
public readonly struct CelInput
{
    internal object? Value { get; private init; }

    /// <summary>A tree, read only as far as the expression looks. With a schema its values have that one's types.</summary>
    public static CelInput Of(JsonNode? tree, Schema? schema = null) => new() { Value = CelJson.Of(tree, schema) };

    /// <summary>What another expression gave; its failure becomes that of whoever looks at the value.</summary>
    public static CelInput Of(CelOutcome outcome) => new() { Value = outcome.Error is { } error ? new CelFailure(error) : outcome.Value };

    /// <summary>Values by name: `variables.name`.</summary>
    public static CelInput Members(IReadOnlyDictionary<string, CelInput> members) =>
        new() { Value = CelMap.Of([.. members.Select(member => KeyValuePair.Create<object, object?>(member.Key, member.Value.Value))]) };

    /// <summary>An optional value: absent when <paramref name="tree"/> is null.</summary>
    public static CelInput Maybe(JsonNode? tree, Schema? schema = null) => new() { Value = tree is null ? CelOptional.None : CelOptional.Of(CelJson.Of(tree, schema)) };
}

/// <param name="Error">Why there is no value; null when there is one.</param>
/// <param name="Left">What of the budget is left.</param>
public readonly record struct CelOutcome(string? Error, long Left)
{
    internal object? Value { get; init; }
    public bool IsTrue => Error is null && Value is true;
    public bool IsFalse => Error is null && Value is false;
    public string? Text => Value as string;
}

/// <summary>A compiled expression of the Common Expression Language. Immutable, for any number of evaluations at once.</summary>
public sealed class CelProgram
{
    private readonly Expr _root;
    private readonly Checked _found;

    private CelProgram(string text, Expr root, Checked found) => (Text, _root, _found) = (text, root, found);

    public string Text { get; }
    public CelType Result => _found.Types[_root];
    public long EstimatedCost => Estimator.Of(_root, _found);
    public bool Uses(string variable) => _found.Used.Contains(variable);

    /// <param name="variables">The types of what the expression may name.</param>
    /// <param name="result">What it must give; null for anything.</param>
    /// <returns>The program, or what is wrong with the text.</returns>
    public static (CelProgram? Program, IReadOnlyList<CelError> Errors) Compile(string text, IReadOnlyDictionary<string, CelType> variables, CelType? result = null)
    {
        Expr root;
        try
        {
            root = Parser.Parse(text);
        }
        catch (CelSyntaxException e)
        {
            return (null, [e.Error]);
        }
        var found = Checker.Check(root, variables);
        if (found.Errors.Count > 0)
            return (null, found.Errors);
        var given = found.Types[root];
        if (result is not null && given.Kind != result.Kind && given.Kind != CelKind.Dyn)
            return (null, [new CelError(0, $"must evaluate to {result}, not {given}")]);
        return (new CelProgram(text, root, found), []);
    }

    /// <param name="budget">What the evaluation may cost.</param>
    /// <exception cref="CelBudgetException">It costs more.</exception>
    public CelOutcome Evaluate(long budget, params ReadOnlySpan<(string Name, CelInput Value)> variables)
    {
        CelScope? scope = null;
        foreach (var (name, value) in variables)
            scope = new CelScope(name, value.Value, scope);
        var run = new CelRun(budget, _found.Patterns);
        var made = new Evaluator(_found, run).Value(_root, scope);
        return made is CelFailure failure ? new(failure.Message, run.Left) : new(null, run.Left) { Value = made };
    }
}
