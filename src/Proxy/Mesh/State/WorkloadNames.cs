using Weft.Proxy.Config.Model;
using Weft.Proxy.Telemetry.Metrics;

namespace Weft.Proxy.Mesh.State;

/// <summary>What Istio's metrics call a pod and a host.</summary>
internal static class WorkloadNames
{
    public static WorkloadLabels LabelsOf(string @namespace, string pod, ValueMap labels, string? identity) => new()
    {
        Workload = OwnerOf(pod, labels),
        Namespace = @namespace.Length > 0 ? @namespace : WorkloadLabels.Unknown,
        Principal = identity ?? WorkloadLabels.Unknown,
        App = labels.TryGetValue("app.kubernetes.io/name", out var app) || labels.TryGetValue("app", out app) ? app : WorkloadLabels.Unknown,
        Version = labels.TryGetValue("app.kubernetes.io/version", out var version) || labels.TryGetValue("version", out version) ? version : WorkloadLabels.Unknown,
        Cluster = "Kubernetes", // Istio's name for the only cluster
        CanonicalService = CanonicalName(pod, labels),
        CanonicalRevision = CanonicalRevision(labels),
    };

    /// <summary>`web-5d4f-x7k2p` of a Deployment is `web`, `db-0` of a StatefulSet is `db`: series must not come and go with pods.</summary>
    public static string OwnerOf(string pod, ValueMap labels)
    {
        if (labels.TryGetValue("service.istio.io/workload-name", out var name) && name.Length > 0)
            return name;
        if (labels.TryGetValue("pod-template-hash", out var hash) && pod.LastIndexOf($"-{hash}-", StringComparison.Ordinal) is > 0 and var at)
            return pod[..at];
        if (labels.TryGetValue("statefulset.kubernetes.io/pod-name", out _) && pod.LastIndexOf('-') is > 0 and var dash)
            return pod[..dash];
        return pod.Length > 0 ? pod : WorkloadLabels.Unknown;
    }

    /// <summary>Istio's canonical name of a workload (istio.io, "Canonical Service").</summary>
    public static string CanonicalName(string pod, ValueMap labels) =>
        First(labels, "service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? OwnerOf(pod, labels);

    /// <summary>Likewise; `latest` where nobody says.</summary>
    public static string CanonicalRevision(ValueMap labels) => First(labels, "service.istio.io/canonical-revision", "app.kubernetes.io/version", "version") ?? "latest";

    private static string? First(ValueMap labels, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (labels.TryGetValue(name, out var value) && value.Length > 0)
                return value;
        }

        return null;
    }

    /// <summary>A service of the cluster has the ports that it has, and no others.</summary>
    public static bool IsService(string host) => host.Split('.') is [_, _, "svc", ..];

    /// <param name="host">`web.shop.svc.cluster.local`, or a name outside the cluster.</param>
    public static DestinationLabels DestinationOf(string host, WorkloadLabels? workload)
    {
        var parts = host.Split('.');
        var isService = IsService(host);
        return new()
        {
            Service = host, ServiceName = isService ? parts[0] : host, ServiceNamespace = isService ? parts[1] : WorkloadLabels.Unknown, Workload = workload ?? new WorkloadLabels(),
        };
    }

    /// <summary>`host:port` of `host:port/subset@namespace`: the host, or the name as it is where it has no port.</summary>
    public static string HostOf(string cluster) => cluster.LastIndexOf(':') is > 0 and var colon ? cluster[..colon] : cluster;
}
