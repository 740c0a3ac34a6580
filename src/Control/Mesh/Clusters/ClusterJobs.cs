using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Clusters;

/// <summary>Clusters of each port of a host: for everybody, and for clients with rules of their own; with all endpoints, and by subsets.</summary>
internal static class ClusterJobs
{
    public static IEnumerable<Job> Of(MeshIndex index)
    {
        yield return new("cluster unknown", ClusterNames.Unknown, (_, _) => [UnitCodec.Cluster(new() { Cluster = new() { Name = ClusterNames.Unknown } })]);
        foreach (var rule in index.DestinationRules)
            yield return new($"destinationrule {MeshIndex.Name(rule)}", rule, (lookups, problems) => { DestinationRuleCheck.Check(rule, lookups, problems); return []; });
        foreach (var host in index.Hosts)
        {
            foreach (var port in host.Ports)
                yield return new($"clusters {host.Name}:{port.Number}", host, (lookups, problems) => Clusters(host, port, lookups, problems));
        }
    }

    private static IEnumerable<ConfigUnit> Clusters(MeshHost host, HostPort port, MeshLookups lookups, List<MeshDiagnostic> problems)
    {
        var choices = ClientView.Of(host, lookups).Select(view => view.Namespace).Append(lookups.Settings.FrontDoorNamespace).Distinct()
            .Select(client => RuleChoice.Of(host, client, lookups)).DistinctBy(choice => choice.Variant).ToList();
        var reader = new ClusterReader(lookups, problems);
        foreach (var choice in choices)
        {
            yield return Cluster(host, port, choice, null, reader);
            if (host.IsHeadless && port.SpeaksHttp)
                yield return Dialled(host, port, choice, new ClusterReader(lookups, [])); // what is wrong with it is said once
            foreach (var (_, _, subset) in choice.Subsets)
                yield return Cluster(host, port, choice, subset, reader);
        }
    }

    private static ConfigUnit Cluster(MeshHost host, HostPort port, RuleChoice choice, Subset? subset, ClusterReader reader) => UnitCodec.Cluster(Unit(host, port, choice, subset, reader));

    private static ConfigUnit Dialled(MeshHost host, HostPort port, RuleChoice choice, ClusterReader reader)
    {
        var unit = Unit(host, port, choice, null, reader);
        return UnitCodec.Cluster(unit with { OriginalAddress = true, Backups = [], Nearness = [], SameNodeOnly = false, Cluster = unit.Cluster with { Name = ClusterNames.Dialled(host, port.Number, choice.Variant) } });
    }

    public static ClusterUnit Unit(MeshHost host, HostPort port, RuleChoice choice, Subset? subset, ClusterReader reader)
    {
        var name = ClusterNames.Of(host, port.Number, subset?.Name, choice.Variant);
        var unit = new ClusterUnit
        {
            Host = host.Name, Port = port.Number, Labels = new ValueMap(subset?.Labels ?? new Dictionary<string, string>()),
            Mesh = host.External ? MeshTls.Never : MeshTls.Auto, OriginalAddress = host.Resolution == Resolution.Original,
            SameNodeOnly = choice.SameNodeOnly, Nearness = host.Nearness.Select(label => new NearnessLabel(label)).ToValueList(),
            Cluster = new() { Name = name, Dns = host.DnsName is { } dns ? new(dns, port.TargetPort) : null },
        };
        var hostNames = host.Source is ServiceEntry entry ? entry.Spec.SubjectAltNames : [];
        unit = reader.Read(unit, EffectivePolicy.Of(host, choice, port.Number, subset?.Name), port.Protocol, hostNames);
        return choice.First is { } rule ? reader.Annotated(unit, rule) : unit;
    }
}
