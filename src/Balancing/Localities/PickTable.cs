using Weft.Balancing.Algorithms;

namespace Weft.Balancing.Localities;

/// <summary>How an endpoint stands, as far as choosing goes.</summary>
public enum EndpointHealth { Healthy, Unhealthy, Draining }

/// <summary>
/// The choice in two steps: a priority level by its share (where requests are divided by place, a group of it), then an endpoint of it by the algorithm. Made anew when health, weights or endpoints change;
/// between that it is only read.
/// </summary>
public sealed class PickTable : IBalancer
{
    // The unit of shares: groups of a level have finer ones than percent.
    private const int Whole = 10_000;
    private readonly Level[] _levels;   // those without a share too: a retry may come to them
    private readonly int _all;

    private PickTable(Level[] levels, int all)
    {
        _levels = levels;
        _all = all;
    }

    /// <param name="weights">Effective weights, one for each endpoint.</param>
    /// <param name="algorithm">Makes the balancer of a level, or of a group of it, from the indices of its usable endpoints.</param>
    /// <param name="groups">Divides each level by place; null: it is one.</param>
    public static PickTable Create(
        IReadOnlyList<Endpoint> endpoints, IReadOnlyList<EndpointHealth> health, IReadOnlyList<int> weights,
        Func<LevelEndpoints, IBalancer> algorithm, int panicThreshold = PriorityLoad.PanicThreshold, LocalityGroups? groups = null)
    {
        var levels = Enumerable.Range(0, endpoints.Count).Where(i => groups is null || groups.GroupOf[i] >= 0)
            .GroupBy(i => endpoints[i].Priority).OrderBy(g => g.Key).Select(g => g.ToArray()).ToList();
        var shares = PriorityLoad.Plan([.. levels.Select(l => (l.Count(i => health[i] == EndpointHealth.Healthy), l.Length))], panicThreshold);
        var made = new List<Level>();
        var before = 0;
        for (var n = 0; n < levels.Count; n++)
        {
            var parts = levels[n].GroupBy(i => groups?.GroupOf[i] ?? 0).OrderBy(g => g.Key).Select(g => g.ToArray()).ToList();
            var bears = parts.Select(part => Bears(part, health, shares[n].Panic, groups)).ToArray();
            var (all, sum) = (bears.Sum(), 0.0);
            for (var g = 0; g < parts.Count; g++)
            {
                sum += bears[g];
                var upTo = before + (all > 0 ? (int)Math.Round(shares[n].Percent * (Whole / 100) * (sum / all)) : 0);
                int[] usable = Usable(parts[g], health, shares[n].Panic);
                made.Add(new(upTo, usable, algorithm(new([.. usable.Select(i => endpoints[i].Key)], [.. usable.Select(i => weights[i])], usable))));
            }

            before += shares[n].Percent * (Whole / 100);
        }

        return new([.. made], endpoints.Count);
    }

    /// <summary>Whether there is anybody to ask.</summary>
    public bool IsEmpty => _levels.Length == 0 || _levels[^1].UpTo == 0;

    public int Pick(in PickRequest request, ref Rng rng)
    {
        if (IsEmpty)
            return -1;
        var first = 0;
        if (_levels.Length > 1)
        {
            // The same key meets the same level, or keys that belong together would be torn apart.
            var draw = (int)((request.Hash is { } hash ? StableHash.Mix(hash ^ 0x70726F) : rng.Next()) % Whole);
            while (first < _levels.Length - 1 && draw >= _levels[first].UpTo)
                first++;
        }

        for (var n = 0; n < _levels.Length; n++)
        {
            var picked = PickIn(_levels[(first + n) % _levels.Length], request, ref rng);
            if (picked >= 0)
                return picked;
        }

        // Everybody was tried: again is better than not at all.
        return request.Tried.IsEmpty ? -1 : Pick(request with { Tried = default }, ref rng);
    }

    /// <summary>A group's weight in its level. Like a level it counts as whole until 100/140 of it are healthy; what it cannot bear goes to the others (Envoy's way).</summary>
    private static double Bears(int[] group, IReadOnlyList<EndpointHealth> health, bool panic, LocalityGroups? groups)
    {
        var weight = groups?.Weights[groups.GroupOf[group[0]]] ?? 1.0;
        return panic || groups is null ? weight : weight * Math.Min(1, PriorityLoad.Overprovisioning * group.Count(i => health[i] == EndpointHealth.Healthy) / group.Length);
    }

    private static int[] Usable(int[] group, IReadOnlyList<EndpointHealth> health, bool panic)
    {
        // In panic the sick are asked too; those that drain have asked to be left alone, unless nobody else is there.
        int[] usable = panic ? [.. group.Where(i => health[i] != EndpointHealth.Draining)] : [.. group.Where(i => health[i] == EndpointHealth.Healthy)];
        return usable.Length > 0 ? usable : group;
    }

    private int PickIn(in Level level, in PickRequest request, ref Rng rng)
    {
        var inside = request;
        if (!request.Tried.IsEmpty && (_all != level.Endpoints.Length))
            inside = request with { Tried = Translate(level.Endpoints, request.Tried) };
        var picked = level.Balancer.Pick(inside, ref rng);
        return picked < 0 ? -1 : level.Endpoints[picked];
    }

    private static TriedEndpoints Translate(int[] endpoints, in TriedEndpoints tried)
    {
        var inside = default(TriedEndpoints);
        for (var i = 0; i < endpoints.Length; i++)
        {
            if (tried.Contains(endpoints[i]))
                inside = inside.With(i);
        }

        return inside;
    }

    private readonly record struct Level(int UpTo, int[] Endpoints, IBalancer Balancer);
}

/// <summary>The usable endpoints of a level.</summary>
/// <param name="Indices">Their places in the whole list.</param>
public readonly record struct LevelEndpoints(IReadOnlyList<string> Keys, IReadOnlyList<int> Weights, IReadOnlyList<int> Indices);
