namespace Weft.Api.Cel;

/// <summary>
/// The worst that an expression may cost by what its schema lets in: macros multiply by the most items of their range. What single functions cost is left out, so
/// an estimate is never above that of Kubernetes; the bound that holds in any case is that of the evaluation.
/// </summary>
public static class Estimator
{
    // What fits into the largest request that Kubernetes takes (3 MB), two bytes an item: its own assumption of a list without maxItems.
    private const long UnboundedItems = MaxRequest / 2;
    private const long MaxRequest = 3 * 1024 * 1024;

    internal static long Of(Expr expression, Checked found) => expression switch
    {
        Select select => Add(1, Of(select.Operand, found)),
        Call call => Add(1, Sum([.. call.Target is null || !found.Types.ContainsKey(call.Target) ? [] : (Expr[])[call.Target], .. call.Arguments], found)),
        // These choose among others' costs and have none themselves.
        Logic logic => Sum(logic.Terms, found),
        Conditional conditional => Add(Of(conditional.Condition, found), Math.Max(Of(conditional.Then, found), Of(conditional.Otherwise, found))),
        Literal => 0,
        ListLiteral list => Add(1, Sum([.. list.Items.Select(item => item.Value)], found)),
        MapLiteral map => Add(1, Sum([.. map.Entries.SelectMany(entry => (Expr[])[entry.Key, entry.Value])], found)),
        Fold fold => Add(Of(fold.Range, found), Times(Items(found.Types[fold.Range]), Add(1, Add(fold.Filter is null ? 0 : Of(fold.Filter, found), Of(fold.Body, found))))),
        OptionalBind bind => Add(1, Add(Of(bind.Target, found), Of(bind.Body, found))),
        _ => 1,
    };

    /// <summary>The most items that a list or map of the type holds.</summary>
    public static long Items(CelType type) => type.Kind is CelKind.List or CelKind.Map ? type.Max ?? UnboundedItems : 1;

    public static long Items(long? most) => most ?? UnboundedItems;

    /// <summary>How many values of that size a request can hold, however they are nested.</summary>
    public static long MostOf(long leastSize) => MaxRequest / (leastSize + 1);

    public static long Times(long a, long b) => a == 0 || b == 0 ? 0 : a > long.MaxValue / b ? long.MaxValue : a * b;

    private static long Add(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    private static long Sum(IReadOnlyList<Expr> parts, Checked found) => parts.Aggregate(0L, (sum, part) => Add(sum, Of(part, found)));
}
