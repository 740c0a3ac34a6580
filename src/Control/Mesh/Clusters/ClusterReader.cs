using Weft.Api.Istio;
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
            RetryBudget = Budget(policy.RetryBudget.Value, policy.RetryBudget.Field, About(policy.RetryBudget.Rule)),
        };
        if (policy.ProxyProtocol.Value is { } header)
            cluster = cluster with { ProxyProtocol = header.Version == "V2" ? ProxyProtocolVersion.V2 : ProxyProtocolVersion.V1 };

        var places = new LocalityReader(lookups.Settings.LocalityFailover, cluster.Outliers is not null, $"{balancing.Field}.localityLbSetting", About(balancing.Rule));
        var (locality, nearness) = places.Read(balancing.Value?.LocalityLbSetting, unit.Nearness);
        cluster = cluster with { Locality = locality };
        unit = unit with { Cluster = cluster, Nearness = nearness, OriginalAddress = unit.OriginalAddress || balancing.Value?.Simple == "PASSTHROUGH" };
        return UpstreamTlsReader.Read(unit, policy.Tls.Value, policy.Tls.Field, policy.Tls.Rule?.Metadata.Namespace ?? "", hostNames, About(policy.Tls.Rule));
    }

    /// <summary>With what the rule says in annotations.</summary>
    public ClusterUnit Annotated(ClusterUnit unit, DestinationRule rule) => new RuleAnnotations(rule, lookups, About(rule)).Apply(unit);

    private Problems About(DestinationRule? rule) => rule is null ? new(Nobody, diagnostics) : Problems.Of(rule, diagnostics);

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
