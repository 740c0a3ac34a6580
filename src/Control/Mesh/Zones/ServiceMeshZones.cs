using System.Collections.Immutable;
using Weft.Api.Linkerd;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Names;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh.Zones;

/// <summary>Further zones of the cluster's names, as objects of the kind ServiceMesh ask for them. Pure.</summary>
internal static class ServiceMeshZones
{
    /// <param name="clusterDomain">The zone that is there in any case.</param>
    public static (ImmutableArray<ConfigUnit> Units, ImmutableArray<MeshDiagnostic> Diagnostics) Of(IEnumerable<ServiceMesh> meshes, string clusterDomain)
    {
        var zones = new SortedSet<string>(StringComparer.Ordinal);
        var diagnostics = ImmutableArray.CreateBuilder<MeshDiagnostic>();
        foreach (var mesh in MeshIndex.Ordered(meshes))
        {
            var found = new List<MeshDiagnostic>();
            if (Zone(mesh, clusterDomain, Problems.Of(mesh, found)) is { } zone)
                zones.Add(zone);
            diagnostics.AddRange(found);
        }

        return ([.. zones.Select(zone => NamesCompiler.Zone(zone, [], []))], diagnostics.ToImmutable());
    }

    private static string? Zone(ServiceMesh mesh, string clusterDomain, Problems problems)
    {
        const string Field = "spec.config.service.discovery";
        var discovery = mesh.Spec?.Config?.Service?.Discovery;
        if (discovery is null || discovery.Enabled == false || discovery.Dns is not { Enabled: not false } dns)
        {
            problems.Warn(Field, "says nothing that has an effect; set enabled, dns.enabled and dns.domain. Services have their names in " + clusterDomain + " in any case");
            return null;
        }

        var domain = (dns.Domain ?? "").TrimEnd('.').ToLowerInvariant();
        if (domain.Length == 0)
            problems.Error($"{Field}.dns.domain", "is missing: a zone such as mesh.local");
        else if (!Hosts.HostNames.IsHost(domain) || Hosts.HostNames.IsWildcard(domain) || domain.Length > 200)
            problems.Error($"{Field}.dns.domain", $"'{dns.Domain}' is no domain; labels of letters, digits and dashes, such as mesh.local");
        else if (!domain.Contains('.'))
            problems.Error($"{Field}.dns.domain", $"'{domain}' would take the names of a whole top-level domain away from the Internet; write one with a dot, such as mesh.{domain}");
        else if (domain == clusterDomain)
            problems.Warn($"{Field}.dns.domain", $"{domain} is the cluster's zone already");
        else if (Below(domain, clusterDomain) || Below(clusterDomain, domain) || Below(domain, "arpa"))
            problems.Error($"{Field}.dns.domain", $"{domain} and {(Below(domain, "arpa") ? "arpa" : clusterDomain)} are in each other; take another name");
        else
            return domain;
        return null;
    }

    private static bool Below(string name, string zone) => name.EndsWith("." + zone, StringComparison.Ordinal);
}
