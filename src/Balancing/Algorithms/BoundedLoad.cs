namespace Weft.Balancing.Algorithms;

/// <summary>
/// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): an endpoint that has more than <c>factor</c> times the average of
/// unanswered requests hands the request to the next one of the hash's order. A key that everybody asks for cannot drown one endpoint.
/// </summary>
/// <param name="factor">Above 1; 1.25 moves little and bounds well. Consul and Envoy speak of 125 percent.</param>
public sealed class BoundedLoad(IBalancer hashing, IReadOnlyList<EndpointState> states, IReadOnlyList<int> weights, double factor = 1.25) : IBalancer
{
    private readonly EndpointState[] _states = [.. states];
    private readonly double[] _shares = [.. weights.Select(w => w / weights.Sum(x => (double)x))];
    private readonly double _factor = factor > 1 ? factor : throw new ArgumentOutOfRangeException(nameof(factor), factor, "the bound must be above 1, the average itself");

    public int Pick(in PickRequest request, ref Rng rng)
    {
        var wanted = request;
        var first = -1;
        // As many hops as a request remembers; then the first choice carries it, for some endpoint is below the average.
        for (var hop = 0; hop < 4; hop++)
        {
            var picked = hashing.Pick(wanted, ref rng);
            if (picked < 0)
                return first;
            first = first < 0 ? picked : first;
            if (_states[picked].Active + 1 <= Math.Max(1, Math.Ceiling(_factor * _shares[picked] * (Total() + 1))))
                return picked;
            wanted = wanted with { Tried = wanted.Tried.With(picked) };
        }

        return LeastLoaded(request, first);
    }

    private int LeastLoaded(in PickRequest request, int otherwise)
    {
        var (best, load) = (otherwise, double.MaxValue);
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i].Active / _shares[i] is var own && own < load && !request.Tried.Contains(i))
                (best, load) = (i, own);
        }

        return best;
    }

    private long Total()
    {
        long total = 0;
        foreach (var state in _states)
            total += state.Active;
        return total;
    }
}
