namespace Weft.Balancing.Algorithms;

/// <summary>By chance, in proportion to the weights, in constant time: the alias method (Walker 1977, tables as Vose 1991 builds them).</summary>
public sealed class WeightedRandom : IBalancer
{
    private readonly double[] _keep;   // how much of a column is its own
    private readonly int[] _alias;     // whose the rest is

    public WeightedRandom(IReadOnlyList<double> weights)
    {
        var count = weights.Count;
        (_keep, _alias) = (new double[count], new int[count]);
        var sum = weights.Sum();
        if (count == 0 || sum <= 0)
        {
            (_keep, _alias) = ([], []);
            return;
        }

        var scaled = weights.Select(w => w * count / sum).ToArray();
        var small = new Stack<int>(Enumerable.Range(0, count).Where(i => scaled[i] < 1));
        var large = new Stack<int>(Enumerable.Range(0, count).Where(i => scaled[i] >= 1));
        while (small.Count > 0 && large.Count > 0)
        {
            var (poor, rich) = (small.Pop(), large.Pop());
            (_keep[poor], _alias[poor]) = (scaled[poor], rich);
            scaled[rich] -= 1 - scaled[poor];
            (scaled[rich] < 1 ? small : large).Push(rich);
        }

        // What is left over differs from 1 by rounding alone.
        foreach (var whole in small.Concat(large))
            (_keep[whole], _alias[whole]) = (1, whole);
    }

    public int Pick(in PickRequest request, ref Rng rng)
    {
        if (_keep.Length == 0)
            return -1;
        var picked = Draw(ref rng);
        if (request.Tried.IsEmpty)
            return picked;
        // A few draws keep the proportions; after that any that was not tried will do.
        for (var again = 0; again < 8 && request.Tried.Contains(picked); again++)
            picked = Draw(ref rng);
        return request.Tried.Contains(picked) ? Untried.After(picked, _keep.Length, request.Tried) : picked;
    }

    private int Draw(ref Rng rng)
    {
        var column = rng.Below(_keep.Length);
        return rng.Fraction() < _keep[column] ? column : _alias[column];
    }
}

/// <summary>The way out when the first choice was tried before.</summary>
internal static class Untried
{
    /// <summary>The next index in turn that was not tried; -1 when all were.</summary>
    public static int After(int index, int count, in TriedEndpoints tried)
    {
        for (var step = 1; step <= count; step++)
        {
            var candidate = (index + step) % count;
            if (!tried.Contains(candidate))
                return candidate;
        }

        return -1;
    }
}
