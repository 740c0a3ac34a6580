namespace Weft.Balancing.Algorithms;

/// <summary>
/// In turn, by weight. The turns of one cycle are laid out ahead in the smooth order (nginx' method: each turn everybody gains its weight,
/// the largest is chosen and pays the sum), so 5:1:1 gives a a b a c a a and no bursts; one shared counter walks through it, so that all event
/// loops together go round, and a person with curl sees "in turn". This is the seeds' `f(x) = 1/N sum w_i f_i(x)`: over one cycle of length
/// N every endpoint answers its weight's share.
/// </summary>
public sealed class RoundRobin : IBalancer
{
    // Longer cycles are scaled down: 1 in 4,096 is finer than anybody sets a weight.
    internal const int LongestCycle = 4096;

    private readonly int[] _cycle;
    private readonly int _count;
    private Cursor _next;

    /// <param name="start">Where the first turn is, so that many proxies do not all begin with the same endpoint.</param>
    public RoundRobin(IReadOnlyList<int> weights, int start = 0)
    {
        _count = weights.Count;
        _cycle = Cycle(weights);
        _next.Value = _cycle.Length == 0 ? 0 : (start % _cycle.Length) - 1;
    }

    public int Pick(in PickRequest request, ref Rng rng)
    {
        if (_cycle.Length == 0)
            return -1;
        for (var turns = 0; turns < _cycle.Length; turns++)
        {
            var picked = _cycle[(int)((uint)Interlocked.Increment(ref _next.Value) % (uint)_cycle.Length)];
            if (request.Tried.IsEmpty || !request.Tried.Contains(picked))
                return picked;
            if (_count == 1)
                break;
        }

        return -1;
    }

    /// <summary>Indices in the order in which they are chosen; each as often as its weight, after the weights are reduced to the smallest whole numbers.</summary>
    internal static int[] Cycle(IReadOnlyList<int> weights)
    {
        var turns = Reduce(weights);
        var total = turns.Sum();
        var cycle = new int[total];
        var credit = new int[turns.Length];
        for (var turn = 0; turn < cycle.Length; turn++)
        {
            var best = 0;
            for (var i = 0; i < credit.Length; i++)
            {
                credit[i] += turns[i];
                if (credit[i] > credit[best])
                    best = i;
            }

            credit[best] -= total;
            cycle[turn] = best;
        }

        return cycle;
    }

    private static int[] Reduce(IReadOnlyList<int> weights)
    {
        if (weights.Count == 0)
            return [];
        var divisor = weights.Aggregate(0, (a, b) => (int)System.Numerics.BigInteger.GreatestCommonDivisor(a, b));
        var sum = weights.Sum(w => (long)w) / divisor;
        // A large set with large weights: shares are kept as well as the cycle's length allows, and nobody is left out.
        var longest = Math.Max(LongestCycle, weights.Count);
        return sum <= longest
            ? [.. weights.Select(w => w / divisor)]
            : [.. weights.Select(w => (int)Math.Max(1, Math.Round(w / (double)divisor * longest / sum)))];
    }

    // The one line that all loops write lies alone.
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 256)]
    private struct Cursor
    {
        [System.Runtime.InteropServices.FieldOffset(128)] public int Value;
    }
}
