using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>A ClusterRole whose rules are to be replaced by what it aggregates.</summary>
public sealed record AggregationStep(JsonObject ClusterRole, JsonArray Rules);

/// <summary>Fills cluster roles that have an aggregationRule with the rules of those that its selectors match.</summary>
public static class AggregationPlanner
{
    /// <summary>
    /// What must change. One round: a role that aggregates aggregated roles (admin takes edit, edit takes view) is finished by the rounds that the
    /// changes of the first one cause, as in Kubernetes.
    /// </summary>
    public static IReadOnlyList<AggregationStep> Plan(IReadOnlyCollection<JsonObject> clusterRoles)
    {
        var steps = new List<AggregationStep>();
        foreach (var role in clusterRoles)
        {
            if (role["aggregationRule"] is not JsonObject aggregation || aggregation["clusterRoleSelectors"] is not JsonArray selectors)
                continue;
            var rules = Rules(role, [.. selectors.OfType<JsonObject>()], clusterRoles);
            if (!JsonNode.DeepEquals(rules, role["rules"] as JsonArray ?? []))
                steps.Add(new AggregationStep(role, rules));
        }

        return steps;
    }

    private static JsonArray Rules(JsonObject role, IReadOnlyList<JsonObject> selectors, IReadOnlyCollection<JsonObject> all)
    {
        var rules = new JsonArray();
        var name = Metadata.Name(role);
        // By name within each selector: the same roles always give the same list, so that nothing is written without need.
        foreach (var selector in selectors)
        {
            var matching = all.Where(r => Metadata.Name(r) != name && LabelMatch.Matches(selector, r["metadata"]?["labels"] as JsonObject));
            foreach (var source in matching.OrderBy(Metadata.Name, StringComparer.Ordinal))
            {
                foreach (var rule in (source["rules"] as JsonArray ?? []).OfType<JsonObject>())
                {
                    if (!rules.Any(r => JsonNode.DeepEquals(r, rule)))
                        rules.Add(rule.DeepClone());
                }
            }
        }

        return rules;
    }
}
