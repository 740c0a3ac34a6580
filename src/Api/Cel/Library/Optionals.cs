namespace Weft.Api.Cel.Library;

/// <summary>Values that may be absent.</summary>
internal static class Optionals
{
    public static IEnumerable<Overload> All =>
    [
        Overload.Of("optional.of(A):optional<A>", (_, a) => CelOptional.Of(a[0])),
        Overload.Of("optional.none():optional<A>", (_, _) => CelOptional.None),
        Overload.Of("optional.ofNonZeroValue(A):optional<A>", (_, a) => IsZero(a[0]) ? CelOptional.None : CelOptional.Of(a[0])),
        Overload.Of("optional<A>.hasValue():bool", (_, a) => ((CelOptional)a[0]!).HasValue),
        Overload.Of("optional<A>.value():A", (_, a) => (CelOptional)a[0]! is { HasValue: true } some ? some.Value : new CelFailure("optional.none() dereference")),
        Overload.Of("optional<A>.or(optional<A>):optional<A>", (_, a) => ((CelOptional)a[0]!).HasValue ? a[0] : a[1]),
        Overload.Of("optional<A>.orValue(A):A", (_, a) => (CelOptional)a[0]! is { HasValue: true } some ? some.Value : a[1]),
        Overload.Of("[](optional<list<A>>,int):optional<A>", (run, a) => Step(run, a[0], a[1])),
        Overload.Of("[](optional<map<A,B>>,A):optional<B>", (run, a) => Step(run, a[0], a[1])),
        Overload.Of("[?](optional<list<A>>,int):optional<A>", (run, a) => Step(run, a[0], a[1])),
        Overload.Of("[?](optional<map<A,B>>,A):optional<B>", (run, a) => Step(run, a[0], a[1])),
        Overload.Of("[?](list<A>,int):optional<A>", (run, a) => Step(run, CelOptional.Of(a[0]), a[1])),
        Overload.Of("[?](map<A,B>,A):optional<B>", (run, a) => Step(run, CelOptional.Of(a[0]), a[1])),
    ];

    /// <summary>A member or item, if there is one.</summary>
    public static CelOptional Step(CelRun run, object? from, object? key)
    {
        run.ChargeScalar(key);
        return Step(from, key);
    }

    public static CelOptional Step(object? from, object? key) => ((CelOptional)from!).Value switch
    {
        CelMap map when map.TryGet(key, out var value) => CelOptional.Of(value),
        CelList list when key is long index and >= 0 && index < list.Count => CelOptional.Of(list[(int)index]),
        _ => CelOptional.None,
    };

    private static bool IsZero(object? value) => value switch
    {
        null or false or 0L or 0UL or 0d or "" => true,
        byte[] bytes => bytes.Length == 0,
        CelList list => list.Count == 0,
        CelMap map => map.Count == 0,
        TimeSpan span => span == TimeSpan.Zero,
        CelOptional optional => !optional.HasValue,
        _ => false,
    };
}
