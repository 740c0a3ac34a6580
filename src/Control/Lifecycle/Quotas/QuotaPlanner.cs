using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Quotas;

namespace Weft.Control.Lifecycle;

/// <summary>Objects of one kind in the quota's namespace.</summary>
internal sealed record QuotaObjects(string Group, string Resource, IReadOnlyList<JsonObject> Items);

/// <summary>The status that a quota has by what is there. Pure.</summary>
internal static class QuotaPlanner
{
    /// <summary>The kinds that must be looked at.</summary>
    public static IReadOnlyList<(string Group, string Resource)> Kinds(ResourceQuotaSpec quota) => [.. quota.Hard.Keys.Select(QuotaUsage.KindOf).Distinct().Order()];

    public static ResourceQuotaStatus Plan(ResourceQuotaSpec quota, IReadOnlyList<QuotaObjects> objects)
    {
        var used = quota.Hard.ToDictionary(h => h.Key, h => Quantity.FromUnits(0, h.Value.Format));
        foreach (var kind in objects)
        {
            var isPods = (kind.Group, kind.Resource) == ("", "pods");
            if (QuotaScopes.Has(quota) && !isPods)
                continue;
            foreach (var item in kind.Items)
            {
                if (isPods && !QuotaScopes.Match(quota, ApiJson.FromTree<Pod>(item)))
                    continue;
                foreach (var (name, amount) in QuotaUsage.Of(kind.Group, kind.Resource, item))
                {
                    if (used.TryGetValue(name, out var sum))
                        used[name] = sum + amount;
                }
            }
        }
        return new() { Hard = quota.Hard, Used = used };
    }

    /// <summary>Whether what is allowed is another than the status says: nothing of a new resource is admitted before it was counted.</summary>
    public static bool IsUnknown(ResourceQuota quota) =>
        quota.Spec.Hard.Count != quota.Status.Hard.Count || quota.Spec.Hard.Any(h => !quota.Status.Hard.TryGetValue(h.Key, out var known) || known != h.Value || !quota.Status.Used.ContainsKey(h.Key));
}
