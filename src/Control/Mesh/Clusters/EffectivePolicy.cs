using Weft.Api.Istio;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Clusters;

/// <summary>A setting, and where it stands.</summary>
internal readonly record struct Setting<T>(T? Value, string Field, DestinationRule? Rule) where T : class;

/// <summary>
/// What holds for a port and a subset. Istio's order: the rule, then what it says for the port in place of all of these four; the subset's own settings one by one, then
/// what the subset says for the port, again in place of all four.
/// </summary>
internal sealed record EffectivePolicy
{
    public Setting<LoadBalancerSettings> LoadBalancer { get; init; }

    public Setting<ConnectionPoolSettings> ConnectionPool { get; init; }

    public Setting<OutlierDetection> OutlierDetection { get; init; }

    public Setting<ClientTLSSettings> Tls { get; init; }

    public Setting<ProxyProtocolSettings> ProxyProtocol { get; init; }

    public Setting<RetryBudget> RetryBudget { get; init; }

    // What a service says of its clients (sessionAffinity: ClientIP), for who calls it through the mesh.
    private static readonly LoadBalancerSettings ByClient = new() { ConsistentHash = new() { UseSourceIp = true } };

    public static EffectivePolicy Of(MeshHost host, RuleChoice rules, int port, string? subset)
    {
        var policy = Of(rules, port, subset);
        return host.KeepsClients && policy.LoadBalancer.Value is null ? policy with { LoadBalancer = new(ByClient, "", null) } : policy;
    }

    private static EffectivePolicy Of(RuleChoice rules, int port, string? subset)
    {
        if (rules.First is not { } rule)
            return new();
        var policy = ForPort(With(new(), rule, rule.Spec.TrafficPolicy, "spec.trafficPolicy"), rule, rule.Spec.TrafficPolicy, "spec.trafficPolicy", port);
        if (subset is not { Length: > 0 } || rules.Subset(subset) is not { Subset.TrafficPolicy: { } own } found)
            return policy;
        var field = $"spec.subsets[{found.Index}].trafficPolicy";
        return ForPort(With(policy, found.Rule, own, field), found.Rule, own, field, port);
    }

    public static EffectivePolicy With(EffectivePolicy policy, DestinationRule rule, TrafficPolicy? own, string field) => own is null ? policy : new()
    {
        LoadBalancer = Or(own.LoadBalancer, "loadBalancer", policy.LoadBalancer, rule, field), ConnectionPool = Or(own.ConnectionPool, "connectionPool", policy.ConnectionPool, rule, field),
        OutlierDetection = Or(own.OutlierDetection, "outlierDetection", policy.OutlierDetection, rule, field), Tls = Or(own.Tls, "tls", policy.Tls, rule, field),
        ProxyProtocol = Or(own.ProxyProtocol, "proxyProtocol", policy.ProxyProtocol, rule, field), RetryBudget = Or(own.RetryBudget, "retryBudget", policy.RetryBudget, rule, field),
    };

    private static Setting<T> Or<T>(T? own, string name, Setting<T> other, DestinationRule rule, string field) where T : class => own is null ? other : new(own, $"{field}.{name}", rule);

    public static EffectivePolicy ForPort(EffectivePolicy policy, DestinationRule rule, TrafficPolicy? own, string field, int port)
    {
        var index = own?.PortLevelSettings.Index().Where(item => item.Item.Port?.Number == port).Select(item => (int?)item.Index).FirstOrDefault();
        return index is not { } at ? policy : Of(policy, rule, own!.PortLevelSettings[at], $"{field}.portLevelSettings[{at}]");
    }

    private static EffectivePolicy Of(EffectivePolicy policy, DestinationRule rule, PortTrafficPolicy own, string field) => policy with
    {
        LoadBalancer = new(own.LoadBalancer, $"{field}.loadBalancer", rule), ConnectionPool = new(own.ConnectionPool, $"{field}.connectionPool", rule),
        OutlierDetection = new(own.OutlierDetection, $"{field}.outlierDetection", rule), Tls = new(own.Tls, $"{field}.tls", rule),
    };
}
