namespace Weft.Balancing.Localities;

/// <summary>Shares by place for callers of one place (Istio's `distribute`).</summary>
/// <param name="From">`region/zone/subzone`; parts that are left out, or `*`, are any.</param>
/// <param name="To">Places of the same form, with their weights.</param>
public readonly record struct DistributionRule(string From, IReadOnlyList<(string Place, int Weight)> To);

/// <summary>Which group each endpoint belongs to, and what weight the groups have against each other. Endpoints without a group get no requests.</summary>
/// <param name="GroupOf">By endpoint; -1: none.</param>
public sealed record LocalityGroups(int[] GroupOf, IReadOnlyList<int> Weights);

public static class LocalityDistribution
{
    /// <summary>The first rule that is for the caller's place decides.</summary>
    /// <returns>Null: no rule is.</returns>
    public static LocalityGroups? Of(IReadOnlyList<Endpoint> endpoints, Locality caller, IReadOnlyList<DistributionRule> rules)
    {
        foreach (var (from, to) in rules)
        {
            if (Matches(from, caller))
                return new LocalityGroups([.. endpoints.Select(endpoint => GroupOf(endpoint.Locality, to))], [.. to.Select(place => place.Weight)]);
        }

        return null;
    }

    /// <summary>Whether a place lies in what `region/zone/subzone` names.</summary>
    public static bool Matches(string pattern, in Locality place)
    {
        var parts = pattern.Split('/');
        return Part(parts, 0, place.Region) && Part(parts, 1, place.Zone) && Part(parts, 2, place.Subzone);
    }

    // Where several name a place, the one that says most of it has it.
    private static int GroupOf(Locality place, IReadOnlyList<(string Place, int Weight)> to)
    {
        var group = Enumerable.Range(0, to.Count).Where(i => Matches(to[i].Place, place)).OrderByDescending(i => to[i].Place.Split('/').Count(part => part is not ("*" or ""))).FirstOrDefault(-1);
        // Not even a retry may come to a place of weight 0.
        return group >= 0 && to[group].Weight > 0 ? group : -1;
    }

    private static bool Part(string[] parts, int index, string? value) => index >= parts.Length || parts[index] is "*" or "" || parts[index] == (value ?? "");
}
