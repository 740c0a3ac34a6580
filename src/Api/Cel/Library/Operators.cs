namespace Weft.Api.Cel.Library;

/// <summary>Arithmetic, comparisons, membership, indexes and size (cel-spec, "Standard definitions").</summary>
internal static class Operators
{
    private const string Overflow = "integer overflow";

    public static IEnumerable<Overload> All =>
    [
        Overload.Of("!(bool):bool", (_, a) => !(bool)a[0]!),
        Overload.Of("-_(int):int", (_, a) => Whole(-(Int128)(long)a[0]!)),
        Overload.Of("-_(double):double", (_, a) => -(double)a[0]!),
        Overload.Of("-_(duration):duration", (_, a) => Span(-(Int128)((TimeSpan)a[0]!).Ticks)),

        .. Arithmetic("+", (x, y) => x + y, (x, y) => x + y),
        .. Arithmetic("-", (x, y) => x - y, (x, y) => x - y),
        .. Arithmetic("*", (x, y) => x * y, (x, y) => x * y),
        .. Arithmetic("/", (x, y) => x / y, (x, y) => x / y, divides: "division by zero"),
        .. Arithmetic("%", (x, y) => x % y, null, divides: "modulus by zero"),
        Overload.Of("+(string,string):string", (run, a) => Joined(run, (string)a[0]!, (string)a[1]!)),
        Overload.Of("+(bytes,bytes):bytes", (run, a) => Joined(run, (byte[])a[0]!, (byte[])a[1]!)),
        Overload.Of("+(list<A>,list<A>):list<A>", (run, a) => Lists.Concat(run, (CelList)a[0]!, (CelList)a[1]!)),
        Overload.Of("+(timestamp,duration):timestamp", (_, a) => Moved((DateTimeOffset)a[0]!, ((TimeSpan)a[1]!).Ticks)),
        Overload.Of("+(duration,timestamp):timestamp", (_, a) => Moved((DateTimeOffset)a[1]!, ((TimeSpan)a[0]!).Ticks)),
        Overload.Of("+(duration,duration):duration", (_, a) => Span((Int128)((TimeSpan)a[0]!).Ticks + ((TimeSpan)a[1]!).Ticks)),
        Overload.Of("-(timestamp,timestamp):duration", (_, a) => (DateTimeOffset)a[0]! - (DateTimeOffset)a[1]!),
        Overload.Of("-(timestamp,duration):timestamp", (_, a) => Moved((DateTimeOffset)a[0]!, -(Int128)((TimeSpan)a[1]!).Ticks)),
        Overload.Of("-(duration,duration):duration", (_, a) => Span((Int128)((TimeSpan)a[0]!).Ticks - ((TimeSpan)a[1]!).Ticks)),

        Overload.Of("==(A,A):bool", (run, a) => Same(run, a)),
        Overload.Of("!=(A,A):bool", (run, a) => !Same(run, a)),
        .. Order("<", order => order < 0),
        .. Order("<=", order => order <= 0),
        .. Order(">", order => order > 0),
        .. Order(">=", order => order >= 0),

        Overload.Of("in(A,list<A>):bool", (run, a) => Contains(run, (CelList)a[1]!, a[0])),
        Overload.Of("in(A,map<A,B>):bool", (run, a) => Has(run, (CelMap)a[1]!, a[0], out _)),
        Overload.Of("[](list<A>,int):A", (_, a) => At((CelList)a[0]!, (long)a[1]!)),
        Overload.Of("[](list<A>,uint):A", (_, a) => At((CelList)a[0]!, (long)Math.Min((ulong)a[1]!, int.MaxValue))),
        Overload.Of("[](list<A>,double):A", (_, a) => (double)a[1]! is var index && Math.Floor(index) == index && Math.Abs(index) < int.MaxValue ? At((CelList)a[0]!, (long)index) : new CelFailure("unsupported index value")),
        Overload.Of("[](map<A,B>,A):B", (run, a) => Has(run, (CelMap)a[0]!, a[1], out var value) ? value : new CelFailure($"no such key: {CelText.Shown(a[1])}")),

        Overload.Of("size(string):int", (run, a) => Size(run, a[0])),
        Overload.Of("size(bytes):int", (run, a) => Size(run, a[0])),
        Overload.Of("size(list<A>):int", (run, a) => Size(run, a[0])),
        Overload.Of("size(map<A,B>):int", (run, a) => Size(run, a[0])),
        Overload.Of("string.size():int", (run, a) => Size(run, a[0])),
        Overload.Of("bytes.size():int", (run, a) => Size(run, a[0])),
        Overload.Of("list<A>.size():int", (run, a) => Size(run, a[0])),
        Overload.Of("map<A,B>.size():int", (run, a) => Size(run, a[0])),
    ];

    private static IEnumerable<Overload> Arithmetic(string name, Func<Int128, Int128, Int128> whole, Func<double, double, double>? real, string? divides = null)
    {
        yield return Overload.Of($"{name}(int,int):int", (_, a) => divides is not null && (long)a[1]! == 0 ? new CelFailure(divides) : Whole(whole((long)a[0]!, (long)a[1]!)));
        yield return Overload.Of($"{name}(uint,uint):uint", (_, a) => divides is not null && (ulong)a[1]! == 0 ? new CelFailure(divides) : Unsigned(whole((ulong)a[0]!, (ulong)a[1]!)));
        if (real is not null)
            yield return Overload.Of($"{name}(double,double):double", (_, a) => real((double)a[0]!, (double)a[1]!));
    }

    private static IEnumerable<Overload> Order(string name, Func<int, bool> holds)
    {
        string[] numbers = ["int", "uint", "double"];
        var pairs = numbers.SelectMany(x => numbers.Select(y => (x, y))).Concat(((string[])["bool", "string", "bytes", "timestamp", "duration"]).Select(x => (x, x)));
        // Numbers of different types compare by what they count.
        return pairs.Select(pair => Overload.Of($"{name}({pair.Item1},{pair.Item2}):bool", (run, a) =>
        {
            run.ChargeScalar(a[0] is string text && a[1] is string other && other.Length < text.Length ? other : a[0]);
            return CelCompare.Order(a[0], a[1]) is { } order && holds(order);
        }));
    }

    private static bool Same(CelRun run, object?[] a) => CelCompare.Equal(run, a[0], a[1]);

    private static bool Contains(CelRun run, CelList list, object? wanted)
    {
        foreach (var item in list)
        {
            run.Charge(1);
            if (CelCompare.Equal(run, item, wanted))
                return true;
        }
        return false;
    }

    private static bool Has(CelRun run, CelMap map, object? key, out object? value)
    {
        run.ChargeScalar(key);
        return map.TryGet(key, out value);
    }

    private static object? At(CelList list, long index) => index >= 0 && index < list.Count ? list[(int)index] : new CelFailure($"index out of bounds: {index}");

    private static object Whole(Int128 value) => value >= long.MinValue && value <= long.MaxValue ? (long)value : new CelFailure(Overflow);

    private static object Unsigned(Int128 value) => value >= 0 && value <= ulong.MaxValue ? (ulong)value : new CelFailure("unsigned integer overflow");

    private static object Span(Int128 ticks) => ticks >= long.MinValue && ticks <= long.MaxValue ? TimeSpan.FromTicks((long)ticks) : new CelFailure("duration overflow");

    private static object Moved(DateTimeOffset time, Int128 by)
    {
        var ticks = (Int128)time.UtcTicks + by;
        return ticks >= DateTimeOffset.MinValue.Ticks && ticks <= DateTimeOffset.MaxValue.Ticks ? new DateTimeOffset((long)ticks, TimeSpan.Zero) : new CelFailure("timestamp overflow");
    }

    private static string Joined(CelRun run, string a, string b)
    {
        run.Charge(((long)a.Length + b.Length) / 10);
        return a + b;
    }

    private static byte[] Joined(CelRun run, byte[] a, byte[] b)
    {
        run.Charge(((long)a.Length + b.Length) / 10);
        return [.. a, .. b];
    }

    private static object Size(CelRun run, object? value)
    {
        switch (value)
        {
            case string text:
                run.ChargeText(text);
                return (long)CelText.Length(text);
            case byte[] bytes: return (long)bytes.Length;
            case CelList list: return (long)list.Count;
            default:
                var members = ((CelMap)value!).Count;
                run.Charge(members / 10);
                return (long)members;
        }
    }
}
