using Weft.Balancing.Algorithms;

namespace Weft.Balancing.Localities;

/// <summary>How an endpoint stands, as far as choosing goes.</summary>
public enum EndpointHealth { Healthy, Unhealthy, Draining }

/// <summary>
/// The choice in two steps: a priority level by its share, then an endpoint of it by the algorithm. Made anew when health, weights or endpoints change;
/// between that it is only read.
/// </summary>
public sealed class PickTable : IBalancer
{
    private readonly Level[] _levels;   // those without a share too: a retry may come to them
    private readonly int _all;

    private PickTable(Level[] levels, int all)
    {
        _levels = levels;
        _all = all;
    }

    /// <param name="weights">Effective weights, one for each endpoint.</param>
    /// <param name="algorithm">Makes the balancer of a level from the indices of its usable endpoints.</param>
    public static PickTable Create(
        IReadOnlyList<Endpoint> endpoints, IReadOnlyList<EndpointHealth> health, IReadOnlyList<int> weights,
        Func<LevelEndpoints, IBalancer> algorithm, int panicThreshold = PriorityLoad.PanicThreshold)
    {
        var levels = Enumerable.Range(0, endpoints.Count).GroupBy(i => endpoints[i].Priority).OrderBy(g => g.Key).Select(g => g.ToArray()).ToList();
        var shares = PriorityLoad.Plan([.. levels.Select(l => (l.Count(i => health[i] == EndpointHealth.Healthy), l.Length))], panicThreshold);
        var made = new List<Level>();
        var upTo = 0;
        for (var n = 0; n < levels.Count; n++)
        {
            // In panic the sick are asked too; those that drain have asked to be left alone, unless nobody else is there.
            int[] usable = shares[n].Panic ? [.. levels[n].Where(i => health[i] != EndpointHealth.Draining)] : [.. levels[n].Where(i => health[i] == EndpointHealth.Healthy)];
            if (usable.Length == 0)
                usable = levels[n];
            upTo += shares[n].Percent;
            made.Add(new(upTo, usable, algorithm(new([.. usable.Select(i => endpoints[i].Key)], [.. usable.Select(i => weights[i])], usable))));
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
            var draw = (int)((request.Hash is { } hash ? StableHash.Mix(hash ^ 0x70726F) : rng.Next()) % 100);
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
