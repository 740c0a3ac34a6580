using Weft.Api.Networking;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>From a backend of an Ingress to a cluster.</summary>
internal static class IngressBackends
{
    /// <summary>Null: it can be none. A service that there is not yet is <see cref="ClusterNames.Unknown"/>, which answers 503.</summary>
    public static string? Cluster(Ingress ingress, IngressBackend backend, BackendTraits traits, string field, MeshLookups lookups, Problems problems)
    {
        if (backend.Resource is { } resource)
        {
            problems.Unsupported($"{field}.resource", $"{resource.Kind} is no backend here, and its requests are answered 500; use service");
            return null;
        }

        if (backend.Service is not { Name.Length: > 0 } service)
        {
            problems.Error($"{field}.service.name", "is missing; name a Service");
            return null;
        }

        if (HostOf(ingress, service, lookups) is not { } host)
        {
            problems.Error($"{field}.service.name", $"there is no Service '{service.Name}' in namespace {ingress.Metadata.Namespace}; its requests are answered 503 until there is");
            return ClusterNames.Unknown;
        }

        if (PortOf(host, service.Port) is not { } port)
        {
            var asked = service.Port?.Name is { Length: > 0 } name ? $"'{name}'" : $"{service.Port?.Number}";
            problems.Error($"{field}.service.port", $"Service '{service.Name}' has no port {asked}; it has {Listing.Of(host.Ports.Select(own => own.EndpointName.Length > 0 ? $"{own.Number} ({own.EndpointName})" : $"{own.Number}"))}");
            return ClusterNames.Unknown;
        }

        return ClusterOf(host, port, traits, lookups);
    }

    public static string ClusterOf(MeshHost host, int port, BackendTraits traits, MeshLookups lookups)
        => ClusterNames.Of(host, port, null, RuleChoice.Of(host, lookups.Settings.FrontDoorNamespace, lookups).Variant) + traits.Suffix;

    /// <summary>Host and port, where both are there.</summary>
    public static (MeshHost Host, int Port)? Find(Ingress ingress, IngressBackend backend, MeshLookups lookups)
        => backend.Service is { } service && HostOf(ingress, service, lookups) is { } host && PortOf(host, service.Port) is { } port ? (host, port) : null;

    public static IEnumerable<(IngressBackend Backend, string Field)> All(Ingress ingress)
    {
        if (ingress.Spec.DefaultBackend is { } usual)
            yield return (usual, "spec.defaultBackend");
        foreach (var (i, rule) in ingress.Spec.Rules.Index())
        {
            foreach (var (j, path) in (rule.Http?.Paths ?? []).Index())
                yield return (path.Backend, $"spec.rules[{i}].http.paths[{j}].backend");
        }
    }

    private static MeshHost? HostOf(Ingress ingress, IngressServiceBackend service, MeshLookups lookups)
        => lookups.Host($"{service.Name}.{ingress.Metadata.Namespace}.svc.{lookups.Settings.ClusterDomain}") is { } host && !HostNames.IsWildcard(host.Name) ? host : null;

    private static int? PortOf(MeshHost host, ServiceBackendPort? port)
        => (port?.Name is { Length: > 0 } name ? host.Ports.FirstOrDefault(own => own.EndpointName == name) : host.Port(port?.Number ?? 0))?.Number;
}
