using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Routes;

/// <summary>Which virtual service has the word for a host: one alone, as in Istio's mesh.</summary>
internal static class Chosen
{
    /// <summary>The best name, then those for the client's own namespace, for it by name, for all; then the oldest.</summary>
    /// <param name="speaks">Whether it has rules of the kind that is asked for. One that has too many hosts for any rule is as one that has none.</param>
    public static VirtualService? For(MeshHost host, ClientView view, MeshLookups lookups, List<MeshDiagnostic> problems, Func<VirtualService, bool> speaks)
    {
        var seen = lookups.VirtualServices(host.Name)
            .Where(rules => speaks(rules) && lookups.RulesEach(rules) > 0 && HostNames.IsExported(rules.Spec.ExportTo, rules.Metadata.Namespace ?? "", view.Namespace))
            .OrderByDescending(rules => Rank(rules, host, lookups)).ThenBy(rules => Nearness(rules, view)).ToList();
        foreach (var other in seen.Skip(1).Where(other => Rank(other, host, lookups) == Rank(seen[0], host, lookups)))
        {
            Problems.Of(other, problems).Warn("spec.hosts",
                $"for host '{host.Name}' VirtualService {MeshIndex.Name(seen[0])} goes before{(view.IsEverybody ? "" : $" for clients of namespace {view.Namespace}")}; put the rules into one object");
        }

        return seen.FirstOrDefault();
    }

    private static int Rank(VirtualService rules, MeshHost host, MeshLookups lookups) => rules.Spec.Hosts.Take(VirtualServiceSpec.MostHosts)
        .Select(name => HostNames.Whole(name, rules.Metadata.Namespace ?? "", lookups.Settings.ClusterDomain))
        .Where(name => HostNames.Covers(name, host.Name)).Select(HostNames.Rank).DefaultIfEmpty(-1).Max();

    private static int Nearness(VirtualService rules, ClientView view) => rules.Spec.ExportTo switch
    {
        var to when to.Count == 0 || HostNames.Counted(to).Contains("*") => 2,
        var to when HostNames.Counted(to).Contains(".") && rules.Metadata.Namespace == view.Namespace => 0,
        _ => 1,
    };
}
