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
        var (best, bestLoad, tied) = (-1, double.MaxValue, 0);
        for (var i = 0; i < count; i++)
        {
            if (request.Tried.Contains(i))
                continue;
            var load = _states[i].Active / (double)_weights[i];
            if (load < bestLoad)
                (best, bestLoad, tied) = (i, load, _weights[i]);
            // Among equals by weight: the heaviest would otherwise get every request that comes while all are idle.
            else if (load == bestLoad && rng.Below(tied += _weights[i]) < _weights[i])
                best = i;
        }

        return best;
    }

    private int TwoChoices(WeightedRandom draw, in PickRequest request, ref Rng rng)
    {
        var (a, b) = (draw.Pick(request, ref rng), draw.Pick(request, ref rng));
        // Drawn by weight, so compared without it.
        return a < 0 || _states[b].Active >= _states[a].Active ? a : b;
    }
}
