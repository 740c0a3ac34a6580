namespace Weft.Balancing.Algorithms;

/// <summary>
/// The endpoint that is likely to answer first: its decayed response time (<see cref="PeakEwma"/>) times the requests that wait there already, for its
/// weight. An endpoint without a history is taken to be as fast as the fastest known: it gets requests at once, but no flood.
/// </summary>
public sealed class LeastResponseTime(IReadOnlyList<EndpointState> states, IReadOnlyList<int> weights) : IBalancer
{
    private readonly EndpointState[] _states = [.. states];
    private readonly int[] _weights = [.. weights];

    public int Pick(in PickRequest request, ref Rng rng)
    {
        var count = _states.Length;
        if (count == 0)
            return -1;
        if (count > LeastRequest.FullScan)
            return TwoChoices(request, ref rng);

        var fastest = Fastest();
        var (best, bestCost) = (-1, double.MaxValue);
        var start = rng.Below(count);
        for (var step = 0; step < count; step++)
        {
            var i = start + step < count ? start + step : start + step - count;
            if (Cost(i, fastest) is var cost && cost < bestCost && !request.Tried.Contains(i))
                (best, bestCost) = (i, cost);
        }

        return best;
    }

    private int TwoChoices(in PickRequest request, ref Rng rng)
    {
        var a = rng.Below(_states.Length);
        var b = rng.Below(_states.Length - 1);
        b = b >= a ? b + 1 : b;
        if (request.Tried.Contains(a))
            a = Untried.After(a, _states.Length, request.Tried);
        if (a < 0 || request.Tried.Contains(b))
            return a;
        var (first, second) = (_states[a].ResponseTime, _states[b].ResponseTime);
        var known = first > 0 && second > 0 ? Math.Min(first, second) : Math.Max(first, second);
        return Cost(b, known) < Cost(a, known) ? b : a;
    }

    private double Fastest()
    {
        var fastest = double.MaxValue;
        foreach (var state in _states)
        {
            if (state.ResponseTime is > 0 and var time && time < fastest)
                fastest = time;
        }

        return fastest is double.MaxValue ? 1 : fastest;
    }

    private double Cost(int i, double unknown)
    {
        var state = _states[i];
        var time = state.ResponseTime;
        return (time > 0 ? time : Math.Max(unknown, 1)) * (state.Active + 1) / _weights[i];
    }
}
