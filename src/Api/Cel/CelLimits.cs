namespace Weft.Api.Cel;

/// <summary>Bounds of expressions. The costs are those of Kubernetes (k8s.io/apiserver/pkg/apis/cel), where one unit is about one step of the evaluator.</summary>
public static class CelLimits
{
    /// <summary>Code points of one expression: cel-go's default.</summary>
    public const int MaxLength = 100_000;

    /// <summary>Nested parts while reading: cel-go's default.</summary>
    public const int MaxNesting = 250;

    /// <summary>How deep an expression may be as a tree: `a + b + c` is one deeper with each term. What a thread's stack holds many times.</summary>
    public const int MaxDepth = 1000;

    /// <summary>How deep a value may be: macros can put lists into lists far deeper than the expression is itself.</summary>
    public const int MaxValueDepth = 250;

    /// <summary>How deep a type may be; what lies below is dyn.</summary>
    public const int MaxTypeDepth = 100;

    /// <summary>Cost of one expression (PerCallLimit).</summary>
    public const long PerExpression = 1_000_000;

    /// <summary>Cost of all rules on one object (RuntimeCELCostBudget).</summary>
    public const long PerObject = 10_000_000;

    /// <summary>Cost of all match conditions of one webhook (RuntimeCELCostBudgetMatchConditions).</summary>
    public const long MatchConditions = 2_500_000;

    /// <summary>Estimated worst cost that a rule may have when it is made (StaticEstimatedCostLimit).</summary>
    public const long Estimate = 10_000_000;
}
