using System.Collections;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Api.Cel.Library;
using Weft.Api.Trees;

namespace Weft.Api.Cel;

// Values are: null, bool, long, ulong, double, string, byte[], DateTimeOffset, TimeSpan (both in steps of 100 ns), CelList, CelMap, CelOptional, CelType (a type as
// a value), Uri, CelIp, CelCidr, Quantity, CelFormat; and CelFailure, which passes through everything but && and ||.

/// <summary>The evaluation of a part has failed.</summary>
internal sealed record CelFailure(string Message);

internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);
    public static CelOptional Of(object? value) => new(true, value);
}

internal sealed record CelIp(IPAddress Address);

internal sealed record CelCidr(IPAddress Address, int Bits);

internal abstract class CelList : IEnumerable<object?>
{
    public abstract int Count { get; }
    public abstract object? this[int index] { get; }

    public IEnumerator<object?> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public static CelList Of(IReadOnlyList<object?> items) => new Items(items);

    private sealed class Items(IReadOnlyList<object?> items) : CelList
    {
        public override int Count => items.Count;
        public override object? this[int index] => items[index];
    }
}

internal abstract class CelMap
{
    public abstract int Count { get; }
    public abstract IEnumerable<object> Keys { get; }
    public abstract bool TryGet(object? key, out object? value);

    public static CelMap Of(IReadOnlyList<KeyValuePair<object, object?>> entries) => new Entries(entries);

    private sealed class Entries : CelMap
    {
        private readonly Dictionary<object, object?> _entries = new(CelCompare.Keys);

        public Entries(IReadOnlyList<KeyValuePair<object, object?>> entries)
        {
            foreach (var (key, value) in entries)
                _entries[key] = value;
        }

        public override int Count => _entries.Count;
        public override IEnumerable<object> Keys => _entries.Keys;
        public override bool TryGet(object? key, out object? value)
        {
            value = null;
            return key is not null && _entries.TryGetValue(key, out value);
        }
    }
}

/// <summary>Equality and order of values of any types.</summary>
internal static class CelCompare
{
    public static readonly IEqualityComparer<object> Keys = new KeyComparer();

    /// <summary>Values of different types are unequal; numbers are equal by what they count. Each item and member that is looked at is charged for.</summary>
    public static bool Equal(CelRun run, object? a, object? b)
    {
        switch (a, b)
        {
            case (byte[] x, byte[] y):
                run.Charge(Math.Min(x.Length, y.Length) / 10);
                return x.AsSpan().SequenceEqual(y);
            case (string x, string y):
                run.Charge(Math.Min(x.Length, y.Length) / 10);
                return x == y;
            case (CelUrl x, CelUrl y):
                run.Charge(Math.Min(x.Text.Length, y.Text.Length) / 10);
                return x == y;
            case (CelList or CelMap or CelOptional, CelList or CelMap or CelOptional):
                run.Enter();
                var equal = Inside(run, a, b);
                run.Leave();
                return equal;
            default:
                return Scalars(a, b);
        }
    }

    private static bool Inside(CelRun run, object a, object b) => (a, b) switch
    {
        (CelList x, CelList y) => Lists(run, x, y),
        (CelMap x, CelMap y) => Maps(run, x, y),
        (CelOptional x, CelOptional y) => x.HasValue == y.HasValue && (!x.HasValue || Item(run, x.Value, y.Value)),
        _ => false,
    };

    private static bool Scalars(object? a, object? b) => (a, b) switch
    {
        (null, _) or (_, null) => a is null && b is null,
        (long or ulong or double, long or ulong or double) => Numbers(a, b) == 0,
        (CelType x, CelType y) => x.Kind == y.Kind,
        (Quantity x, Quantity y) => x.CompareTo(y) == 0,
        _ => a.Equals(b),
    };

    private static bool Item(CelRun run, object? a, object? b)
    {
        run.Charge(1);
        return Equal(run, a, b);
    }

    // A list of type set has no order.
    private static bool Lists(CelRun run, CelList x, CelList y)
    {
        if (x.Count != y.Count)
            return false;
        if (x is JsonItems { Type: Schemas.ListType.Set } || y is JsonItems { Type: Schemas.ListType.Set })
            return x.All(item => y.Any(other => Item(run, item, other)));
        if (x is JsonItems { Type: Schemas.ListType.Map } map)
            return x.All(item => y.Any(other => map.SameKey(run, item, other) && Item(run, item, other)));
        for (var i = 0; i < x.Count; i++)
            if (!Item(run, x[i], y[i]))
                return false;
        return true;
    }

    private static bool Maps(CelRun run, CelMap x, CelMap y)
    {
        // An object of a schema counts its members by looking at each.
        run.Charge((x.Count + y.Count) / 10);
        if (x.Count != y.Count)
            return false;
        foreach (var key in x.Keys)
        {
            run.ChargeScalar(key);
            if (!y.TryGet(key, out var other) || !x.TryGet(key, out var value) || !Item(run, value, other))
                return false;
        }
        return true;
    }

    /// <summary>Null when the values have no order.</summary>
    public static int? Order(object? a, object? b) => (a, b) switch
    {
        (long or ulong or double, long or ulong or double) => Numbers(a!, b!),
        (string x, string y) => CelText.Compare(x, y),
        (bool x, bool y) => x.CompareTo(y),
        (byte[] x, byte[] y) => x.AsSpan().SequenceCompareTo(y),
        (DateTimeOffset x, DateTimeOffset y) => x.CompareTo(y),
        (TimeSpan x, TimeSpan y) => x.CompareTo(y),
        _ => null,
    };

    // Null with NaN, which is neither equal to anything nor in any order.
    private static int? Numbers(object a, object b) => (a, b) switch
    {
        (long x, long y) => x.CompareTo(y),
        (ulong x, ulong y) => x.CompareTo(y),
        (long x, ulong y) => x < 0 ? -1 : ((ulong)x).CompareTo(y),
        (ulong x, long y) => y < 0 ? 1 : x.CompareTo((ulong)y),
        (double x, double y) => double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y),
        (double x, _) => double.IsNaN(x) ? null : Mixed(x, b),
        (_, double y) => double.IsNaN(y) ? null : -Mixed(y, a),
        _ => null,
    };

    // Exact: a long beyond 2^53 is no double.
    private static int Mixed(double x, object whole)
    {
        var other = whole is long value ? (Int128)value : (ulong)whole;
        if (x >= 2e19)
            return 1;
        if (x <= -2e19)
            return -1;
        var floor = (Int128)Math.Floor(x);
        return floor != other ? floor.CompareTo(other) : x > Math.Floor(x) ? 1 : 0;
    }

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        // Only scalars are keys of a map, whatever is looked for in it.
        public new bool Equals(object? x, object? y) => x is string a ? y is string b && a == b : x is long or ulong or double or bool && Scalars(x, y);

        public int GetHashCode(object value) => value switch
        {
            long number => ((double)number).GetHashCode(),
            ulong number => ((double)number).GetHashCode(),
            double number => number.GetHashCode(),
            string text => text.GetHashCode(StringComparison.Ordinal),
            bool truth => truth.GetHashCode(),
            _ => 0,
        };
    }
}

/// <summary>Texts count in code points.</summary>
internal static class CelText
{
    public static int Length(string text) => IsPlain(text) ? text.Length : text.EnumerateRunes().Count();

    public static bool IsPlain(string text) => text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0;

    /// <summary>The offset in UTF-16 units of a code point; -1 when the text ends before it.</summary>
    public static int Offset(string text, long index)
    {
        if (index < 0 || index > text.Length)
            return -1;
        if (IsPlain(text))
            return (int)index;
        var at = 0;
        for (; index > 0; index--)
        {
            if (at >= text.Length)
                return -1;
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
        }
        return at;
    }

    /// <summary>The code points before an offset.</summary>
    public static long Index(string text, int offset) => Length(text[..offset]);

    // By code points, in which UTF-16's surrogates come after everything else.
    public static int Compare(string a, string b)
    {
        var shared = a.AsSpan().CommonPrefixLength(b);
        if (shared == a.Length || shared == b.Length)
            return a.Length.CompareTo(b.Length);
        var (x, y) = (a[shared], b[shared]);
        return char.IsSurrogate(x) == char.IsSurrogate(y) ? x.CompareTo(y) : char.IsSurrogate(x) ? 1 : -1;
    }

    public static string Shown(object? value) => value switch
    {
        string text => text,
        double number => Real(number),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        bool truth => truth ? "True" : "False",
        null => "null",
        // What holds other values may be as deep as it likes.
        _ => value.GetType().Name,
    };

    // As Go writes the shortest form that reads back.
    public static string Real(double number) => double.IsNaN(number) ? "NaN"
        : double.IsPositiveInfinity(number) ? "+Inf" : double.IsNegativeInfinity(number) ? "-Inf"
        : Math.Abs(number) is >= 1e21 or < 1e-6 and not 0 ? number.ToString("0.################e+00", CultureInfo.InvariantCulture)
        : number.ToString("0.###################", CultureInfo.InvariantCulture);
}
