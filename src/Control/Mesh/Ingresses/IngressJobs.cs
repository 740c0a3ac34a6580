using Weft.Api.Networking;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Each Ingress by itself, so that all that is wrong with it is found, and the clusters that Ingresses want otherwise than they are. Their routes are the front door's.</summary>
internal static class IngressJobs
{
    private sealed record TraitCluster(string Host, int Port, BackendTraits Traits);

    public static Job Of(Ingress ingress) => new($"ingress {MeshIndex.Name(ingress)}", ingress, (lookups, problems) => { Check(ingress, lookups, problems); return []; });

    public static IEnumerable<Job> Strays(MeshIndex index) => index.StrayIngresses
        .Select(ingress => new Job($"stray ingress {MeshIndex.Name(ingress)}", ingress, (_, problems) => { IngressClasses.CheckStray(ingress, problems); return []; }));

    /// <summary>Which there are is looked up each time.</summary>
    public static IEnumerable<Job> Clusters(MeshIndex index)
    {
        var now = new MeshLookups(index);
        foreach (var wanted in index.Ingresses.SelectMany(ingress => Wanted(ingress, now)).Distinct())
            yield return new($"cluster {wanted.Host}:{wanted.Port}{wanted.Traits.Suffix}", wanted, (lookups, problems) => Cluster(wanted, lookups, problems));
    }

    private static void Check(Ingress ingress, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var settings = IngressSettings.Read(ingress, lookups, diagnostics);
        IngressHosts.Check(ingress, settings.Problems);
        _ = IngressHosts.Certificates(ingress, lookups, settings.Problems).Count();
        foreach (var (backend, field) in IngressBackends.All(ingress))
            _ = IngressBackends.Cluster(ingress, backend, settings.Traits, field, lookups, settings.Problems);
    }

    private static IEnumerable<TraitCluster> Wanted(Ingress ingress, MeshLookups lookups)
    {
        if (ingress.Metadata.Annotations.Count == 0)
            yield break;
        var annotations = new IngressAnnotations(ingress, Problems.Of(ingress, []));
        if (annotations.Text("auth-url") is { } authorizer && AuthorizerReader.Target(ingress, authorizer, lookups) is { } target && target.Traits != BackendTraits.None)
            yield return new(target.Host, target.Port, target.Traits);
        if (BalancingReader.Read(annotations).Traits is var traits && traits == BackendTraits.None)
            yield break;
        foreach (var (backend, _) in IngressBackends.All(ingress))
        {
            if (IngressBackends.Find(ingress, backend, lookups) is { } found)
                yield return new(found.Host.Name, found.Port, traits);
        }
    }

    // The same endpoints by the same rules; only what the Ingress wants is otherwise.
    private static IEnumerable<ConfigUnit> Cluster(TraitCluster wanted, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        if (lookups.Host(wanted.Host) is not { } host || host.Port(wanted.Port) is not { } port)
            return [];
        var unit = ClusterJobs.Unit(host, port, RuleChoice.Of(host, lookups.Settings.FrontDoorNamespace, lookups), null, new ClusterReader(lookups, diagnostics));
        return [UnitCodec.Cluster(unit with { Cluster = wanted.Traits.Apply(unit.Cluster, host.External, host.Name) })];
    }
}
