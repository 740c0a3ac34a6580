namespace Weft.Api.Cel;

/// <summary>One part of an expression. Immutable; the checker's findings stand beside it, in <see cref="Checked"/>.</summary>
internal abstract class Expr(int position, params ReadOnlySpan<Expr?> parts)
{
    public int Position => position;

    /// <summary>Of the tree below: bounds the recursion of everything that walks it.</summary>
    public int Depth { get; } = 1 + Deepest(parts);

    private static int Deepest(ReadOnlySpan<Expr?> parts)
    {
        var deepest = 0;
        foreach (var part in parts)
            deepest = Math.Max(deepest, part?.Depth ?? 0);
        return deepest;
    }
}

internal sealed class Literal(int position, object? value) : Expr(position)
{
    public object? Value => value;
}

internal sealed class Ident(int position, string name) : Expr(position)
{
    public string Name => name;
}

/// <summary>`a.b`, `a.?b`, and has(a.b).</summary>
internal sealed class Select(int position, Expr operand, string name, bool optional, bool test) : Expr(position, operand)
{
    public Expr Operand => operand;
    public string Field => name;
    public bool Optional => optional;
    public bool Test => test;
    public Select AsTest => new(Position, operand, name, optional: false, test: true);
}

/// <summary>A function or operator (`_+_`); a member function has a target.</summary>
internal sealed class Call(int position, string function, Expr? target, IReadOnlyList<Expr> arguments) : Expr(position, [target, .. arguments])
{
    public string Function => function;
    public Expr? Target => target;
    public IReadOnlyList<Expr> Arguments => arguments;
}

/// <summary>All terms of one chain of "and" or "or": the chain is one node however long it is.</summary>
internal sealed class Logic(int position, bool and, IReadOnlyList<Expr> terms) : Expr(position, [.. terms])
{
    public bool And => and;
    public IReadOnlyList<Expr> Terms => terms;
}

internal sealed class Conditional(int position, Expr condition, Expr then, Expr otherwise) : Expr(position, condition, then, otherwise)
{
    public Expr Condition => condition;
    public Expr Then => then;
    public Expr Otherwise => otherwise;
}

/// <param name="items">An optional one is written `?x`: it is left out when it has no value.</param>
internal sealed class ListLiteral(int position, IReadOnlyList<(Expr Value, bool Optional)> items) : Expr(position, [.. items.Select(item => item.Value)])
{
    public IReadOnlyList<(Expr Value, bool Optional)> Items => items;
}

internal sealed class MapLiteral(int position, IReadOnlyList<(Expr Key, Expr Value, bool Optional)> entries)
    : Expr(position, [.. entries.Select(entry => entry.Key), .. entries.Select(entry => entry.Value)])
{
    public IReadOnlyList<(Expr Key, Expr Value, bool Optional)> Entries => entries;
}

internal enum FoldKind { All, Exists, ExistsOne, Map, Filter, TransformList, TransformMap }

/// <summary>The macros over lists and maps.</summary>
/// <param name="variable">The item, or the key of a map; with a second variable the index or key.</param>
/// <param name="second">The item or value, of the macros with two variables.</param>
/// <param name="filter">The condition of map(x, condition, value).</param>
internal sealed class Fold(int position, FoldKind kind, Expr range, string variable, string? second, Expr? filter, Expr body) : Expr(position, range, filter, body)
{
    public FoldKind Kind => kind;
    public Expr Range => range;
    public string Variable => variable;
    public string? Second => second;
    public Expr? Filter => filter;
    public Expr Body => body;
}

/// <summary>optMap and optFlatMap.</summary>
internal sealed class OptionalBind(int position, Expr target, string variable, Expr body, bool flat) : Expr(position, target, body)
{
    public Expr Target => target;
    public string Variable => variable;
    public Expr Body => body;
    public bool Flat => flat;
}
