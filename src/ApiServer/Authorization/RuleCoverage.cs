namespace Weft.ApiServer.Authorization;

/// <summary>Whether someone who holds some rules holds all that others would grant: nobody may give away more than they have.</summary>
public static class RuleCoverage
{
    /// <summary>The single rights among <paramref name="wanted"/> that no rule of <paramref name="held"/> gives.</summary>
    public static IReadOnlyList<PolicyRule> Missing(IReadOnlyList<PolicyRule> held, IEnumerable<PolicyRule> wanted) =>
        [.. wanted.SelectMany(Breakdown).Where(single => !held.Any(rule => Covers(rule, single)))];

    // One rule of several lists is the product of them. Each single right is looked for on its own, because two held rules may cover one wanted rule together.
    private static IEnumerable<PolicyRule> Breakdown(PolicyRule rule)
    {
        foreach (var verb in rule.Verbs)
        {
            foreach (var url in rule.NonResourceUrls)
                yield return new PolicyRule { Verbs = [verb], NonResourceUrls = [url] };
            foreach (var group in rule.ApiGroups)
            {
                foreach (var resource in rule.Resources)
                {
                    if (rule.ResourceNames.Count == 0)
                        yield return new PolicyRule { Verbs = [verb], ApiGroups = [group], Resources = [resource] };
                    foreach (var name in rule.ResourceNames)
                        yield return new PolicyRule { Verbs = [verb], ApiGroups = [group], Resources = [resource], ResourceNames = [name] };
                }
            }
        }
    }

    private static bool Covers(PolicyRule held, PolicyRule single)
    {
        if (!Has(held.Verbs, single.Verbs[0]))
            return false;
        if (single.NonResourceUrls.Count > 0)
            return held.NonResourceUrls.Any(pattern => CoversPath(pattern, single.NonResourceUrls[0]));
        return Has(held.ApiGroups, single.ApiGroups[0])
            && held.Resources.Any(pattern => CoversResource(pattern, single.Resources[0]))
            && (held.ResourceNames.Count == 0 || (single.ResourceNames.Count > 0 && held.ResourceNames.Contains(single.ResourceNames[0])));
    }

    private static bool Has(IReadOnlyList<string> held, string value) => held.Contains("*") || held.Contains(value);

    private static bool CoversResource(string held, string wanted)
    {
        if (held == "*" || held == wanted)
            return true;
        var slash = wanted.IndexOf('/');
        return slash > 0 && held.StartsWith("*/", StringComparison.Ordinal) && held.AsSpan(2).SequenceEqual(wanted.AsSpan(slash + 1));
    }

    private static bool CoversPath(string held, string wanted) =>
        held == "*" || held == wanted || (held.EndsWith('*') && wanted.StartsWith(held.AsSpan().TrimEnd('*'), StringComparison.Ordinal));
}
