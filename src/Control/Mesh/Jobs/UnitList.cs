using System.Collections.Immutable;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh.Jobs;

/// <summary>Units by key, and what a step makes of them.</summary>
internal static class UnitList
{
    private static readonly Comparer<ConfigUnit> ByKey = Comparer<ConfigUnit>.Create((one, other) => Compare(one.Key, other.Key));

    /// <summary>Null for a key that is no more.</summary>
    public static Dictionary<UnitKey, ConfigUnit?> ChangesOf(IReadOnlyList<(JobResult? Old, JobResult? New)> results)
    {
        var changes = new Dictionary<UnitKey, ConfigUnit?>();
        foreach (var unit in results.SelectMany(pair => pair.Old?.Units ?? []))
            changes[unit.Key] = null;
        // After all that go: a unit may have become another job's.
        foreach (var unit in results.SelectMany(pair => pair.New?.Units ?? []))
            changes[unit.Key] = unit;
        return changes;
    }

    /// <param name="units">In order.</param>
    public static ImmutableArray<ConfigUnit> With(ImmutableArray<ConfigUnit> units, Dictionary<UnitKey, ConfigUnit?> changes)
    {
        if (units.IsEmpty)
            return [.. changes.Values.OfType<ConfigUnit>().Order(ByKey)];
        var next = ImmutableArray.CreateBuilder<ConfigUnit>(units.Length + changes.Count);
        var from = 0;
        // Runs that are not touched are copied as they are.
        foreach (var (key, unit) in changes.OrderBy(pair => pair.Key, Comparer<UnitKey>.Create(Compare)))
        {
            var at = units.BinarySearch(from, units.Length - from, new ConfigUnit(key, default, default), ByKey);
            var to = at < 0 ? ~at : at;
            next.AddRange(units.AsSpan()[from..to]);
            if (unit is not null)
                next.Add(unit);
            from = at < 0 ? to : to + 1;
        }

        next.AddRange(units.AsSpan()[from..]);
        return next.DrainToImmutable();
    }

    private static int Compare(UnitKey one, UnitKey other) => one.Kind != other.Kind ? one.Kind.CompareTo(other.Kind) : string.CompareOrdinal(one.Name, other.Name);
}
