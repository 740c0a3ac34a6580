namespace Weft.Api.Cel.Library;

/// <summary>Kubernetes' functions of lists, and sets of cel-go.</summary>
internal static class Lists
{
    public static IEnumerable<Overload> All =>
    [
        Overload.Of("list<A>.isSorted():bool", (run, a) => IsSorted(run, (CelList)a[0]!)),
        Overload.Of("list<A>.sum():A", (run, a) => Sum(run, (CelList)a[0]!)),
        Overload.Of("list<A>.min():A", (run, a) => Extreme(run, (CelList)a[0]!, "min", order => order < 0)),
        Overload.Of("list<A>.max():A", (run, a) => Extreme(run, (CelList)a[0]!, "max", order => order > 0)),
        Overload.Of("list<A>.indexOf(A):int", (run, a) => Index(run, (CelList)a[0]!, a[1], last: false)),
        Overload.Of("list<A>.lastIndexOf(A):int", (run, a) => Index(run, (CelList)a[0]!, a[1], last: true)),
        Overload.Of("sets.contains(list<A>,list<A>):bool", (run, a) => Covers(run, (CelList)a[0]!, (CelList)a[1]!)),
        Overload.Of("sets.equivalent(list<A>,list<A>):bool", (run, a) => Covers(run, (CelList)a[0]!, (CelList)a[1]!) && Covers(run, (CelList)a[1]!, (CelList)a[0]!)),
        Overload.Of("sets.intersects(list<A>,list<A>):bool", (run, a) => Pairs(run, (CelList)a[0]!, (CelList)a[1]!) && ((CelList)a[0]!).Any(x => ((CelList)a[1]!).Any(y => CelCompare.Equal(run, x, y)))),
    ];

    /// <summary>Charges for looking at the whole of a value, while it looks: a value may be many times as large as the memory that it takes.</summary>
    public static void Weigh(CelRun run, object? value)
    {
        run.ChargeScalar(value);
        if (value is not (CelList or CelMap))
            return;
        run.Enter();
        foreach (var item in value is CelMap map ? Values(run, map) : (CelList)value)
        {
            run.Charge(1);
            Weigh(run, item);
        }
        run.Leave();
    }

    private static IEnumerable<object?> Values(CelRun run, CelMap map)
    {
        foreach (var key in map.Keys)
        {
            run.ChargeScalar(key);
            yield return map.TryGet(key, out var value) ? value : null;
        }
    }

    /// <summary>A list of type set takes only new items, one of type map replaces those with the same keys and keeps their places.</summary>
    public static object? Concat(CelRun run, CelList x, CelList y)
    {
        run.Charge((long)x.Count + y.Count);
        if (x is JsonItems { Type: Schemas.ListType.Set })
        {
            Pairs(run, x, y);
            return Made(run, [.. x, .. y.Where(item => !x.Any(other => CelCompare.Equal(run, item, other)))]);
        }
        if (x is JsonItems { Type: Schemas.ListType.Map } map)
        {
            Pairs(run, x, y);
            return Made(run, [.. x.Select(item => y.FirstOrDefault(other => map.SameKey(run, item, other)) ?? item), .. y.Where(other => !x.Any(item => map.SameKey(run, item, other)))]);
        }
        return Made(run, [.. x, .. y]);
    }

    // Bytes of a tree are decoded at each look, so the list holds copies of its own.
    private static CelList Made(CelRun run, object?[] items)
    {
        foreach (var item in items)
            if (item is byte[])
                run.ChargeScalar(item);
        return CelList.Of(items);
    }

    private static bool Pairs(CelRun run, CelList x, CelList y)
    {
        run.Charge((long)x.Count * y.Count);
        return true;
    }

    private static bool Covers(CelRun run, CelList x, CelList y) => Pairs(run, x, y) && y.All(item => x.Any(other => CelCompare.Equal(run, item, other)));

    private static object IsSorted(CelRun run, CelList list)
    {
        Weigh(run, list);
        for (var i = 1; i < list.Count; i++)
        {
            switch (CelCompare.Order(list[i - 1], list[i]))
            {
                case null: return new CelFailure("isSorted: the items cannot be compared");
                case > 0: return false;
            }
        }
        return true;
    }

    private static object? Sum(CelRun run, CelList list)
    {
        if (list.Count == 0)
            return 0L;
        var add = Functions.Find("+", member: false, 2);
        var sum = list[0];
        for (var i = 1; i < list.Count; i++)
        {
            run.Charge(1);
            object?[] pair = [sum, list[i]];
            var form = add.FirstOrDefault(overload => overload.Takes(pair));
            if (form is null || sum is string or CelList)
                return new CelFailure("sum: the items cannot be added");
            sum = form.Body(run, pair);
            if (sum is CelFailure)
                return sum;
        }
        return sum;
    }

    private static object? Extreme(CelRun run, CelList list, string name, Func<int, bool> better)
    {
        if (list.Count == 0)
            return new CelFailure($"{name} called on empty list");
        Weigh(run, list);
        var best = list[0];
        for (var i = 1; i < list.Count; i++)
        {
            if (CelCompare.Order(list[i], best) is not { } order)
                return new CelFailure($"{name}: the items cannot be compared");
            if (better(order))
                best = list[i];
        }
        return best;
    }

    private static object Index(CelRun run, CelList list, object? wanted, bool last)
    {
        for (var i = 0; i < list.Count; i++)
        {
            run.Charge(1);
            var at = last ? list.Count - 1 - i : i;
            if (CelCompare.Equal(run, list[at], wanted))
                return (long)at;
        }
        return -1L;
    }
}
