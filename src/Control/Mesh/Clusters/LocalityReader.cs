using Weft.Api.Istio;
using Weft.Balancing.Localities;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

/// <summary>What places count for: near endpoints first, or shares by place.</summary>
/// <param name="byDefault">Whether near endpoints go first where nothing is said.</param>
/// <param name="hasOutliers">As in Istio order counts only where endpoints that fail are found out.</param>
internal sealed class LocalityReader(bool byDefault, bool hasOutliers, string field, Problems problems)
{
    // There is one of each.
    private static readonly string[] SameEverywhere = ["topology.istio.io/network", "topology.istio.io/cluster"];

    /// <param name="nearness">What the host itself says: it holds where no rule says otherwise.</param>
    public (LocalityPolicy Policy, ValueList<NearnessLabel> Nearness) Read(LocalityLoadBalancerSetting? setting, ValueList<NearnessLabel> nearness)
    {
        if (setting is null)
            return nearness.IsEmpty && hasOutliers && byDefault ? (new() { Failover = true }, []) : (LocalityPolicy.Off, nearness);
        if (setting.Distribute.Count > 0 && (setting.Failover.Count > 0 || setting.FailoverPriority.Count > 0))
            problems.Error(field, "has distribute beside failover or failoverPriority; keep one");
        if (!hasOutliers && setting.Failover.Count > 0)
            problems.Warn($"{field}.failover", "has no effect without outlierDetection");
        if (!hasOutliers && setting.FailoverPriority.Count > 0)
            problems.Warn($"{field}.failoverPriority", "has no effect without outlierDetection");
        foreach (var (i, _) in setting.Failover.Index().Where(item => !IsPair(item.Item)))
            problems.Error($"{field}.failover[{i}]", "needs from and to, two regions");
        var shares = setting.Distribute.Select((rule, i) => Shares(rule, $"{field}.distribute[{i}]")).OfType<LocalityWeights>().ToValueList();
        var labels = setting.FailoverPriority.Select((text, i) => Label(text, $"{field}.failoverPriority[{i}]")).OfType<NearnessLabel>().ToValueList();
        if (!shares.IsEmpty && setting.Enabled != false)
            return (new() { Distribute = shares }, []);
        if (!hasOutliers || !(setting.Enabled ?? byDefault))
            return (LocalityPolicy.Off, []);
        if (setting.FailoverPriority.Count > 0)
            return (LocalityPolicy.Off, labels);
        return (new() { Failover = true, Regions = setting.Failover.Where(IsPair).Select(failover => new RegionFailover(failover.From!, failover.To!)).ToValueList() }, []);
    }

    // Null: it is reported, and clients of these places have no shares.
    private LocalityWeights? Shares(LocalityDistribute rule, string at)
    {
        var before = problems.Errors;
        if (string.IsNullOrEmpty(rule.From))
            problems.Error($"{at}.from", "is missing; region/zone/subzone, or '*'");
        var sum = rule.To.Sum(to => (long)to.Value);
        if (sum != 100 || rule.To.Any(to => to.Value is < 0 or > 100))
            problems.Error($"{at}.to", $"the percentages are {sum} together; they must be 100");
        return problems.Errors > before ? null : new(rule.From!, rule.To.OrderBy(to => to.Key, StringComparer.Ordinal).Select(to => new LocalityWeight(to.Key, to.Value)).ToValueList());
    }

    // A node's proxy has all clients of the node: what it knows of them alike is where the node is.
    private NearnessLabel? Label(string text, string at)
    {
        var split = text.IndexOf('=', StringComparison.Ordinal);
        var (name, value) = split < 0 ? (text, null) : (text[..split], text[(split + 1)..]);
        if (name.Length == 0)
            problems.Error(at, "is empty; name a label, or label=value");
        else if (name == NodeLabels.Name)
            problems.Unsupported(at, "say it in the Service: trafficDistribution: PreferSameNode");
        else if (value is null && name is not (NodeLabels.Region or NodeLabels.Zone or NodeLabels.Subzone) && !SameEverywhere.Contains(name))
            problems.Unsupported(at, $"the clients' label '{name}' is not looked at; write {name}=value, which is that of endpoints");
        else if (!SameEverywhere.Contains(name))
            return new(name, value);
        return null;
    }

    private static bool IsPair(LocalityFailover failover) => !string.IsNullOrEmpty(failover.From) && !string.IsNullOrEmpty(failover.To) && failover.From != failover.To;
}
