namespace Weft.Balancing.Algorithms;

/// <summary>
/// The endpoint with the fewest unanswered requests for its weight. Small sets are looked through (two choices leave a fifth of the load on the wrong
/// one of three); of large sets two are drawn and the better is taken, which keeps the longest queue at O(log log n) (Mitzenmacher 2001). The seeds'
/// `L = N/T`, requests in flight for the time they take, is what it evens out.
/// </summary>
public sealed class LeastRequest(IReadOnlyList<EndpointState> states, IReadOnlyList<int> weights, int fullScan = LeastRequest.FullScan) : IBalancer
{
    /// <summary>Up to here all are looked at: 16 reads of shared lines cost what one system call does.</summary>
    public const int FullScan = 16;

    private readonly EndpointState[] _states = [.. states];
    private readonly int[] _weights = [.. weights];
    private readonly WeightedRandom? _draw = states.Count > fullScan ? new([.. weights.Select(w => (double)w)]) : null;

    public int Pick(in PickRequest request, ref Rng rng) => _draw is null ? LookThrough(request, ref rng) : TwoChoices(_draw, request, ref rng);

    private int LookThrough(in PickRequest request, ref Rng rng)
    {
        var count = _states.Length;
        if (count == 0)
            return -1;
        var (best, bestLoad) = (-1, double.MaxValue);
        // From a random place: among equals the first of the list would otherwise get everything that is idle.
        var start = rng.Below(count);
        for (var step = 0; step < count; step++)
        {
            var i = start + step < count ? start + step : start + step - count;
            var load = Load(i);
            if (load < bestLoad && !request.Tried.Contains(i))
                (best, bestLoad) = (i, load);
        }

        return best;
    }

    private int TwoChoices(WeightedRandom draw, in PickRequest request, ref Rng rng)
    {
        var (a, b) = (draw.Pick(request, ref rng), draw.Pick(request, ref rng));
        // Drawn by weight, so compared without it.
        return a < 0 || _states[b].Active >= _states[a].Active ? a : b;
    }

    // One more than are active: an idle endpoint of weight 2 goes before an idle one of weight 1.
    private double Load(int i) => (_states[i].Active + 1) / (double)_weights[i];
}
