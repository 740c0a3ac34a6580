using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

/// <summary>What is wrong with a destination rule by itself, also where its host does not exist.</summary>
internal static class DestinationRuleCheck
{
    public static void Check(DestinationRule rule, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var problems = Problems.Of(rule, diagnostics);
        if (rule.Spec.WorkloadSelector is not null)
            problems.Ineffective(Effects.Whole, "spec.workloadSelector", "the rule has no effect: rules are for all clients of a namespace");
        Host(rule, lookups, problems);
        HostNames.CheckExports(rule.Spec.ExportTo, problems);
        Policy(rule, rule.Spec.TrafficPolicy, "spec.trafficPolicy", lookups, diagnostics);
        var names = new HashSet<string>();
        foreach (var (i, subset) in rule.Spec.Subsets.Index())
        {
            if (subset.Name.Length == 0 || subset.Name.AsSpan().IndexOfAny("/@: ") >= 0)
                problems.Error($"spec.subsets[{i}].name", subset.Name.Length == 0 ? "is missing" : $"'{subset.Name}' is no name; letters, digits and dashes");
            else if (!names.Add(subset.Name))
                problems.Error($"spec.subsets[{i}].name", $"'{subset.Name}' stands twice; the first counts");
            Policy(rule, subset.TrafficPolicy, $"spec.subsets[{i}].trafficPolicy", lookups, diagnostics);
        }
    }

    private static void Host(DestinationRule rule, MeshLookups lookups, Problems problems)
    {
        var @namespace = rule.Metadata.Namespace ?? "";
        if (!HostNames.IsHost(rule.Spec.Host))
        {
            problems.Error("spec.host", rule.Spec.Host.Length == 0 ? "is missing; name a service" : $"'{rule.Spec.Host}' is neither a name, nor *.name, nor *");
            return;
        }

        var name = HostNames.Whole(rule.Spec.Host, @namespace, lookups.Settings.ClusterDomain);
        if (HostNames.IsWildcard(name))
            return;
        if (lookups.Host(name) is not { } host)
        {
            problems.Warn("spec.host", $"there is neither a Service nor a ServiceEntry '{name}'; the rule waits for it");
            return;
        }

        var choice = RuleChoice.Of(host, @namespace, lookups);
        if (choice.First is { } first && !ReferenceEquals(first, rule) && choice.Rules.Contains(rule, ReferenceEqualityComparer.Instance) && rule.Spec.TrafficPolicy is not null)
            problems.Warn("spec.trafficPolicy", $"for '{name}' that of DestinationRule {MeshIndex.Name(first)} goes before; put both into one object");
    }

    private static void Policy(DestinationRule rule, TrafficPolicy? policy, string field, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        if (policy is null)
            return;
        var problems = Problems.Of(rule, diagnostics);
        var reader = new ClusterReader(lookups, diagnostics);
        var unit = new ClusterUnit { Host = "host", Cluster = new() { Name = "check" } };
        problems.UnsupportedIf(policy.Tunnel is not null, $"{field}.tunnel", "connections through another proxy are not made");
        var whole = EffectivePolicy.With(new(), rule, policy, field);
        reader.Read(unit, whole, PortProtocol.Auto, []);
        foreach (var (i, port) in policy.PortLevelSettings.Index())
        {
            if (port.Port?.Number is not (> 0 and < 65_536))
                problems.Error($"{field}.portLevelSettings[{i}].port.number", "is missing; say which port");
            else
                reader.Read(unit, EffectivePolicy.ForPort(new(), rule, policy, field, port.Port.Number.Value), PortProtocol.Auto, []);
        }
    }
}
