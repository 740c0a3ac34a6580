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
        Overload.Of("sets.intersects(list<A>,list<A>):bool", (run, a) => Pairs(run, (CelList)a[0]!, (CelList)a[1]!) && ((CelList)a[0]!).Any(x => ((CelList)a[1]!).Any(y => CelCompare.Equal(x, y)))),
    ];

    /// <summary>About what looking at the whole of a value costs.</summary>
    public static long Weight(object? value)
    {
        switch (value)
        {
            case string text: return text.Length / 10;
            case byte[] bytes: return bytes.Length / 10;
            case CelList list:
                var items = list.Sum(item => 1 + Weight(item));
                // Without an order each item is looked for among all.
                return list is JsonItems { Type: not Schemas.ListType.Atomic } ? items * Math.Max(1, list.Count) : items;
            case CelMap map: return map.Keys.Sum(key => 1 + (map.TryGet(key, out var member) ? Weight(member) : 0));
            default: return 0;
        }
    }

    /// <summary>A list of type set takes only new items, one of type map replaces those with the same keys and keeps their places.</summary>
    public static object? Concat(CelRun run, CelList x, CelList y)
    {
        run.Charge(x.Count + y.Count);
        if (x is JsonItems { Type: Schemas.ListType.Set })
        {
            Pairs(run, x, y);
            return CelList.Of([.. x, .. y.Where(item => !x.Any(other => CelCompare.Equal(item, other)))]);
        }
        if (x is JsonItems { Type: Schemas.ListType.Map } map)
        {
            Pairs(run, x, y);
            return CelList.Of([.. x.Select(item => y.FirstOrDefault(other => map.SameKey(item, other)) ?? item), .. y.Where(other => !x.Any(item => map.SameKey(item, other)))]);
        }
        return CelList.Of([.. x, .. y]);
    }

    private static bool Pairs(CelRun run, CelList x, CelList y)
    {
        run.Charge((long)x.Count * y.Count);
        return true;
    }

    private static bool Covers(CelRun run, CelList x, CelList y) => Pairs(run, x, y) && y.All(item => x.Any(other => CelCompare.Equal(item, other)));

    private static object IsSorted(CelRun run, CelList list)
    {
        run.Charge(Weight(list));
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
        run.Charge(Weight(list));
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
        run.Charge(Weight(list));
        for (var i = 0; i < list.Count; i++)
        {
            var at = last ? list.Count - 1 - i : i;
            if (CelCompare.Equal(list[at], wanted))
                return (long)at;
        }
        return -1L;
    }
}
