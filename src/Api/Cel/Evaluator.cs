using Weft.Api.Cel.Library;

namespace Weft.Api.Cel;

/// <summary>A variable and those outside it.</summary>
internal sealed record CelScope(string Name, object? Value, CelScope? Outer)
{
    public static object? Find(CelScope? scope, string name)
    {
        for (; scope is not null; scope = scope.Outer)
            if (scope.Name == name)
                return scope.Value;
        return new CelFailure($"no such attribute: {name}");
    }
}

/// <summary>Walks an expression. A failure is a value that passes through everything but a chain of "and" or "or" that another term decides.</summary>
internal sealed class Evaluator(Checked found, CelRun run)
{
    public object? Value(Expr expression, CelScope? scope)
    {
        run.Charge(1);
        var value = Of(expression, scope);
        // Bytes of a tree are decoded at each look.
        if (value is byte[] bytes)
            run.ChargeScalar(bytes);
        return value;
    }

    private object? Of(Expr expression, CelScope? scope) =>
        expression switch
        {
            Literal literal => literal.Value,
            _ when found.TypeNames.Count > 0 && found.TypeNames.TryGetValue(expression, out var type) => type,
            Ident ident => CelScope.Find(scope, ident.Name),
            Select select => OfSelect(select, scope),
            Call call => OfCall(call, scope),
            Logic logic => OfLogic(logic, scope),
            Conditional conditional => OfConditional(conditional, scope),
            ListLiteral list => OfList(list, scope),
            MapLiteral map => OfMap(map, scope),
            Fold fold => OfFold(fold, scope),
            OptionalBind bind => OfBind(bind, scope),
            _ => throw new InvalidOperationException(expression.GetType().Name),
        };

    private object? OfSelect(Select select, CelScope? scope)
    {
        var operand = Value(select.Operand, scope);
        if (operand is CelFailure)
            return operand;
        // The texts of most names are short enough to be free.
        run.Charge(select.Field.Length / 100);
        if (operand is CelOptional optional)
        {
            var step = Optionals.Step(optional, select.Field);
            return select.Test ? step.HasValue : step;
        }
        if (operand is not CelMap map)
            return new CelFailure($"unsupported field selection '{select.Field}'");
        if (map.TryGet(select.Field, out var value))
        {
            if (value is CelFailure)
                return value;
            return select.Test ? true : select.Optional ? CelOptional.Of(value) : value;
        }
        return select.Test ? false : select.Optional ? CelOptional.None : new CelFailure($"no such key: {select.Field}");
    }

    private object? OfCall(Call call, CelScope? scope)
    {
        var forms = found.Forms[call];
        var values = new object?[forms[0].Parameters.Length];
        // A qualified name has no target that could be evaluated.
        var member = call.Target is not null && forms[0].IsMember;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Value(member ? i == 0 ? call.Target! : call.Arguments[i - 1] : call.Arguments[i], scope);
            if (values[i] is CelFailure)
                return values[i];
        }
        for (var i = 0; i < forms.Length; i++)
            if (forms[i].Takes(values))
                return forms[i].Body(run, values);
        return new CelFailure($"no such overload: {call.Function}");
    }

    private object? OfLogic(Logic logic, CelScope? scope)
    {
        object? failure = null;
        foreach (var term in logic.Terms)
        {
            var value = Value(term, scope);
            if (value is bool truth)
            {
                if (truth != logic.And)
                    return truth;
            }
            else
                failure ??= value as CelFailure ?? new CelFailure("no such overload");
        }
        return failure ?? logic.And;
    }

    private object? OfConditional(Conditional conditional, CelScope? scope) => Value(conditional.Condition, scope) switch
    {
        true => Value(conditional.Then, scope),
        false => Value(conditional.Otherwise, scope),
        CelFailure failure => failure,
        _ => new CelFailure("no such overload"),
    };

    private object? OfList(ListLiteral list, CelScope? scope)
    {
        var items = new List<object?>(list.Items.Count);
        foreach (var (item, optional) in list.Items)
        {
            var value = Value(item, scope);
            if (value is CelFailure)
                return value;
            if (!optional)
                items.Add(value);
            else if (value is not CelOptional maybe)
                return new CelFailure("an optional item must be an optional");
            else if (maybe.HasValue)
                items.Add(maybe.Value);
        }
        return CelList.Of(items);
    }

    private object? OfMap(MapLiteral map, CelScope? scope)
    {
        var entries = new List<KeyValuePair<object, object?>>(map.Entries.Count);
        var keys = new HashSet<object>(CelCompare.Keys);
        foreach (var (keyOf, valueOf, optional) in map.Entries)
        {
            var (key, value) = (Value(keyOf, scope), Value(valueOf, scope));
            if (key is CelFailure || value is CelFailure)
                return key as CelFailure ?? value;
            if (key is not (string or long or ulong or bool))
                return new CelFailure("unsupported key type");
            if (optional)
            {
                if (value is not CelOptional maybe)
                    return new CelFailure("an optional entry must be an optional");
                if (!maybe.HasValue)
                    continue;
                value = maybe.Value;
            }
            run.ChargeScalar(key);
            if (!keys.Add(key))
                return new CelFailure($"Failed with repeated key: {key}");
            entries.Add(new(key, value));
        }
        return CelMap.Of(entries);
    }

    private object? OfFold(Fold fold, CelScope? scope)
    {
        var range = Value(fold.Range, scope);
        if (range is CelFailure)
            return range;
        if (range is not (CelList or CelMap))
            return new CelFailure("the range of a macro must be a list or a map");

        object? failure = null;
        var matches = 0;
        var made = new List<object?>();
        var entries = new List<KeyValuePair<object, object?>>();
        foreach (var (key, item) in Steps(range))
        {
            run.ChargeScalar(key);
            if (item is byte[])
                run.ChargeScalar(item);
            var single = fold.Second is null;
            var inner = new CelScope(fold.Variable, single && range is CelList ? item : key, scope);
            if (!single)
                inner = new CelScope(fold.Second!, item, inner);
            if (fold.Filter is not null && Value(fold.Filter, inner) is not true and var refused)
            {
                if (refused is false)
                    continue;
                return refused as CelFailure ?? new CelFailure("no such overload");
            }

            var value = Value(fold.Body, inner);
            switch (fold.Kind)
            {
                case FoldKind.Map or FoldKind.TransformList when value is not CelFailure:
                    made.Add(value);
                    break;
                case FoldKind.TransformMap when value is not CelFailure:
                    entries.Add(new(key!, value));
                    break;
                case FoldKind.All or FoldKind.Exists when value is bool truth:
                    if (truth == (fold.Kind == FoldKind.Exists))
                        return truth;
                    break;
                // One item that decides makes the failures of others irrelevant.
                case FoldKind.All or FoldKind.Exists:
                    failure ??= value as CelFailure ?? new CelFailure("no such overload");
                    break;
                case FoldKind.ExistsOne when value is bool truth:
                    matches += truth ? 1 : 0;
                    break;
                case FoldKind.Filter when value is bool truth:
                    if (truth)
                        made.Add(CelScope.Find(inner, fold.Variable));
                    break;
                default:
                    return value as CelFailure ?? new CelFailure("no such overload");
            }
        }
        return failure ?? fold.Kind switch
        {
            FoldKind.All => true,
            FoldKind.Exists => false,
            FoldKind.ExistsOne => matches == 1,
            FoldKind.TransformMap => CelMap.Of(entries),
            _ => CelList.Of(made),
        };
    }

    // An item may itself be unreadable (a text that is no timestamp): the body sees that when it looks.
    private static IEnumerable<(object? Key, object? Value)> Steps(object range)
    {
        if (range is CelList list)
        {
            for (var i = 0; i < list.Count; i++)
                yield return ((long)i, list[i]);
            yield break;
        }
        var map = (CelMap)range;
        foreach (var key in map.Keys)
            yield return (key, map.TryGet(key, out var value) ? value : null);
    }

    private object? OfBind(OptionalBind bind, CelScope? scope)
    {
        switch (Value(bind.Target, scope))
        {
            case CelFailure failure:
                return failure;
            case CelOptional { HasValue: true } some:
                var value = Value(bind.Body, new CelScope(bind.Variable, some.Value, scope));
                return value is CelFailure || bind.Flat ? value : CelOptional.Of(value);
            case CelOptional none:
                return none;
            default:
                return new CelFailure("no such overload: optMap");
        }
    }
}
