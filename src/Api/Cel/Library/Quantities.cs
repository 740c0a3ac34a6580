using System.Globalization;

namespace Weft.Api.Cel.Library;

/// <summary>Kubernetes' functions of quantities.</summary>
internal static class Quantities
{
    public static IEnumerable<Overload> All =>
    [
        Overload.Of("@quantity(string):quantity", (_, a) => Quantity.TryParse((string)a[0]!, out var value) ? value : new CelFailure($"quantities must be a number with an optional suffix, not '{a[0]}'")),
        Overload.Of("@isQuantity(string):bool", (_, a) => Quantity.TryParse((string)a[0]!, out var _)),
        Overload.Of("quantity.sign():int", (_, a) => (long)Q(a).Sign),
        Overload.Of("quantity.isInteger():bool", (_, a) => Q(a).IsWhole),
        Overload.Of("quantity.asInteger():int", (_, a) => Q(a).IsWhole && Q(a) >= Least && Q(a) <= Most ? Q(a).Units : new CelFailure("cannot convert value to integer")),
        Overload.Of("quantity.asApproximateFloat():double", (_, a) => Q(a).Milli / 1000d),
        Overload.Of("quantity.add(quantity):quantity", (_, a) => Q(a) + Q(a, 1)),
        Overload.Of("quantity.add(int):quantity", (_, a) => Q(a) + Quantity.FromUnits((long)a[1]!)),
        Overload.Of("quantity.sub(quantity):quantity", (_, a) => Q(a) - Q(a, 1)),
        Overload.Of("quantity.sub(int):quantity", (_, a) => Q(a) - Quantity.FromUnits((long)a[1]!)),
        Overload.Of("quantity.isGreaterThan(quantity):bool", (_, a) => Q(a) > Q(a, 1)),
        Overload.Of("quantity.isLessThan(quantity):bool", (_, a) => Q(a) < Q(a, 1)),
        Overload.Of("quantity.compareTo(quantity):int", (_, a) => (long)Math.Sign(Q(a).CompareTo(Q(a, 1)))),
    ];

    private static Quantity Least => Quantity.FromUnits(long.MinValue);
    private static Quantity Most => Quantity.FromUnits(long.MaxValue);

    private static Quantity Q(object?[] values, int index = 0) => (Quantity)values[index]!;
}
