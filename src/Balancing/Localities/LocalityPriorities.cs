namespace Weft.Balancing.Localities;

/// <summary>Region that takes over for another, before any other region does (Istio's `failover`).</summary>
public readonly record struct RegionFailover(string From, string To);

/// <summary>
/// Near before far: the priority of an endpoint becomes its distance from the caller. Same subzone, then zone, then region, then the regions named for it,
/// then the rest. An endpoint's own priority counts first.
/// </summary>
public static class LocalityPriorities
{
    // Three degrees of nearness, named failover regions, everything else.
    private const int Named = 3, Elsewhere = 4, Degrees = 5;

    /// <returns>The endpoints with new priorities, without gaps.</returns>
    public static IReadOnlyList<Endpoint> Assign(IReadOnlyList<Endpoint> endpoints, Locality caller, IReadOnlyList<RegionFailover> failovers)
    {
        var far = endpoints.Select(e => (e.Priority * Degrees) + Distance(e.Locality, caller, failovers)).ToArray();
        var ranks = far.Distinct().Order().ToList();
        return [.. endpoints.Select((e, i) => e with { Priority = ranks.IndexOf(far[i]) })];
    }

    private static int Distance(in Locality place, in Locality caller, IReadOnlyList<RegionFailover> failovers)
    {
        // An endpoint or caller of unknown place is neither near nor far: no order among them.
        if (string.IsNullOrEmpty(caller.Region))
            return Elsewhere;
        var nearness = place.Nearness(caller);
        if (nearness > 0)
            return 3 - nearness;
        var (from, to) = (caller.Region, place.Region);
        return failovers.Any(f => f.From == from && f.To == to) ? Named : Elsewhere;
    }
}
