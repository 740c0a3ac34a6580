using Weft.Api.Schemas;

namespace Weft.Api.Cel.Rules;

/// <summary>One of `x-kubernetes-validations`, as a definition writes it.</summary>
/// <param name="Rule">Holds when it gives true for `self`.</param>
public sealed record CelRule(string Rule)
{
    public string? Message { get; init; }

    /// <summary>Gives the message, in place of <see cref="Message"/>.</summary>
    public string? MessageExpression { get; init; }
    public string? Reason { get; init; }
    public string? FieldPath { get; init; }

    /// <summary>`oldSelf` is an optional, and the rule holds for new values too.</summary>
    public bool OptionalOldSelf { get; init; }
}

/// <summary>A rule with its programs, or with what is wrong with it.</summary>
public sealed class CompiledRule
{
    private CompiledRule(CelRule source, CelType self) => (Source, Self) = (source, self);

    public CelRule Source { get; }
    public CelType Self { get; }
    public CelProgram? Program { get; private init; }
    public CelProgram? Message { get; private init; }
    public IReadOnlyList<CelError> Errors { get; private init; } = [];
    public IReadOnlyList<CelError> MessageErrors { get; private init; } = [];

    /// <summary>It compares with the stored value, so it has nothing to say of a new one.</summary>
    public bool IsTransition => Program?.Uses("oldSelf") == true && !Source.OptionalOldSelf;

    /// <param name="schema">Of the value that the rule is for.</param>
    public static CompiledRule Of(CelRule rule, Schema schema)
    {
        var self = CelType.Of(schema) ?? CelType.Dyn;
        var variables = new Dictionary<string, CelType> { ["self"] = self, ["oldSelf"] = rule.OptionalOldSelf ? CelType.Optional(self) : self };
        var (program, errors) = CelProgram.Compile(rule.Rule, variables, CelType.Bool);
        var (message, messageErrors) = rule.MessageExpression is { } text ? CelProgram.Compile(text, variables, CelType.String) : (null, []);
        return new(rule, self) { Program = program, Errors = errors, Message = message, MessageErrors = messageErrors };
    }
}
