using Weft.Api.Istio;
using Weft.Balancing.Localities;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

/// <summary>A cluster from what holds for it. Each setting's problems belong to the rule that it stands in.</summary>
internal sealed class ClusterReader(MeshLookups lookups, List<MeshDiagnostic> diagnostics)
{
    // Settings that nobody made have no problems; should they, they would stand here.
    private static readonly ObjectRef Nobody = new("DestinationRule", "", "");

    public ClusterUnit Read(ClusterUnit unit, EffectivePolicy policy, PortProtocol protocol, IReadOnlyList<string> hostNames)
    {
        var cluster = unit.Cluster with { Protocol = protocol switch { PortProtocol.Http => UpstreamProtocol.Http1, PortProtocol.Http2 => UpstreamProtocol.Http2, _ => UpstreamProtocol.Auto } };
        cluster = PoolReader.Pool(cluster, policy.ConnectionPool.Value, policy.ConnectionPool.Field, About(policy.ConnectionPool.Rule));
        cluster = PoolReader.Outliers(cluster, policy.OutlierDetection.Value, policy.OutlierDetection.Field, About(policy.OutlierDetection.Rule));
        var balancing = policy.LoadBalancer;
        cluster = cluster with
        {
            LoadBalancer = BalancerReader.Read(balancing.Value, balancing.Field, About(balancing.Rule)),
            SlowStart = BalancerReader.Warmup(balancing.Value, balancing.Field, About(balancing.Rule)),
            Locality = Localities(balancing.Value?.LocalityLbSetting, cluster.Outliers is not null, $"{balancing.Field}.localityLbSetting", About(balancing.Rule)),
            RetryBudget = Budget(policy.RetryBudget.Value, policy.RetryBudget.Field, About(policy.RetryBudget.Rule)),
        };
        if (policy.ProxyProtocol.Value is { } header)
            cluster = cluster with { ProxyProtocol = header.Version == "V2" ? ProxyProtocolVersion.V2 : ProxyProtocolVersion.V1 };

        unit = unit with { Cluster = cluster, OriginalAddress = unit.OriginalAddress || balancing.Value?.Simple == "PASSTHROUGH" };
        return UpstreamTlsReader.Read(unit, policy.Tls.Value, policy.Tls.Field, policy.Tls.Rule?.Metadata.Namespace ?? "", hostNames, About(policy.Tls.Rule));
    }

    private Problems About(DestinationRule? rule) => rule is null ? new(Nobody, diagnostics) : Problems.Of(rule, diagnostics);

    // As in Istio places only count where endpoints that fail are found out.
    private LocalityPolicy Localities(LocalityLoadBalancerSetting? setting, bool hasOutliers, string field, Problems problems)
    {
        if (setting is not null && new[] { setting.Distribute.Count > 0, setting.Failover.Count > 0, setting.FailoverPriority.Count > 0 }.Count(isThere => isThere) > 1 && setting.Distribute.Count > 0)
            problems.Error(field, "has distribute beside failover or failoverPriority; keep one");
        problems.UnsupportedIf(setting?.FailoverPriority.Count > 0, $"{field}.failoverPriority", "endpoints are near by region, zone and subzone; use failover");
        if (!hasOutliers && setting?.Failover.Count > 0)
            problems.Warn($"{field}.failover", "has no effect without outlierDetection");
        foreach (var (i, _) in (setting?.Failover ?? []).Index().Where(item => !IsPair(item.Item)))
            problems.Error($"{field}.failover[{i}]", "needs from and to, two regions");
        var shares = (setting?.Distribute ?? []).Select((rule, i) => Shares(rule, $"{field}.distribute[{i}]", problems)).OfType<LocalityWeights>().ToValueList();
        if (!shares.IsEmpty && setting!.Enabled != false)
            return new() { Distribute = shares };
        if (!hasOutliers || !(setting?.Enabled ?? lookups.Settings.LocalityFailover))
            return LocalityPolicy.Off;
        return new()
        {
            Failover = true,
            Regions = (setting?.Failover ?? []).Where(IsPair).Select(failover => new RegionFailover(failover.From!, failover.To!)).ToValueList(),
        };
    }

    // Null: it is reported, and clients of these places have no shares.
    private static LocalityWeights? Shares(LocalityDistribute rule, string field, Problems problems)
    {
        var before = problems.Errors;
        if (string.IsNullOrEmpty(rule.From))
            problems.Error($"{field}.from", "is missing; region/zone/subzone, or '*'");
        var sum = rule.To.Sum(to => (long)to.Value);
        if (sum != 100 || rule.To.Any(to => to.Value is < 0 or > 100))
            problems.Error($"{field}.to", $"the percentages are {sum} together; they must be 100");
        return problems.Errors > before ? null : new(rule.From!, rule.To.OrderBy(to => to.Key, StringComparer.Ordinal).Select(to => new LocalityWeight(to.Key, to.Value)).ToValueList());
    }

    private static bool IsPair(LocalityFailover failover) => !string.IsNullOrEmpty(failover.From) && !string.IsNullOrEmpty(failover.To) && failover.From != failover.To;

    private static Proxy.Config.Model.RetryBudget Budget(Api.Istio.RetryBudget? budget, string field, Problems problems)
    {
        var usual = new Proxy.Config.Model.RetryBudget();
        if (budget?.Percent is < 0 or > 100)
            problems.Error($"{field}.percent", "is no percentage; 0 to 100");
        if (budget?.MinRetryConcurrency < 0)
            problems.Error($"{field}.minRetryConcurrency", "is below 0");
        return budget is null ? usual : new(Math.Clamp(budget.Percent ?? 20, 0, 100) / 100, Math.Max(0, budget.MinRetryConcurrency ?? usual.Least));
    }
}
