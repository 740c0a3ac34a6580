using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Runtime;
using Weft.Control.Workloads;
using EndpointPort = Weft.Api.Discovery.EndpointPort;

namespace Weft.Control.Networking;

/// <summary>The slices that a service with a selector should have.</summary>
internal static class ServiceSlices
{
    public const string ServiceName = "kubernetes.io/service-name";
    public const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    public const string Manager = "endpointslice-controller.k8s.io";
    public const string Headless = "service.kubernetes.io/headless";
    private const string ZoneLabel = "topology.kubernetes.io/zone";

    public static SliceFrame Frame(Service service)
    {
        var labels = service.Metadata.Labels.Where(label => label.Key is not (ServiceName or ManagedBy or Headless)).ToDictionary();
        labels[ServiceName] = service.Metadata.Name ?? "";
        labels[ManagedBy] = Manager;
        if (EndpointPods.IsHeadless(service))
            labels[Headless] = "";
        return new SliceFrame(service.Metadata.Name ?? "", labels, service.AsController());
    }

    /// <param name="pods">Selected by the service.</param>
    /// <param name="nodeLabels">Of a node by its name; for the zone.</param>
    public static IReadOnlyList<SliceGroup> Groups(
        Service service, IReadOnlyList<Pod> pods, Func<string, IReadOnlyDictionary<string, string>?> nodeLabels)
    {
        var groups = new List<SliceGroup>();
        foreach (var family in EndpointPods.Families(service))
        {
            var byPorts = pods.Where(pod => pod.IsBackend() && EndpointPods.AddressOf(pod, family) is not null)
                .GroupBy(pod => EndpointPods.Ports(service, pod), PortsComparer.Instance)
                .Where(group => !group.Key.IsEmpty || service.Spec.Ports.Count == 0) // a port name that no container has: nothing to connect to
                .Select(group => new SliceGroup(family, PortsOf(group.Key), [.. group.Select(pod => EndpointOf(service, pod, family, nodeLabels))]))
                .ToList();
            // Without backends there is one empty slice, without ports: they are not known before a pod is.
            groups.AddRange(byPorts.Count > 0 ? byPorts : [new SliceGroup(family, [], [])]);
        }

        return groups;
    }

    private static Endpoint EndpointOf(Service service, Pod pod, string family, Func<string, IReadOnlyDictionary<string, string>?> nodeLabels)
    {
        var serving = pod.IsReady();
        return new Endpoint
        {
            Addresses = [EndpointPods.AddressOf(pod, family)!],
            Conditions = new EndpointConditions
            {
                Ready = service.Spec.PublishNotReadyAddresses == true || (serving && !pod.IsTerminating()),
                Serving = serving,
                Terminating = pod.IsTerminating(),
            },
            Hostname = EndpointPods.HostnameFor(service, pod),
            NodeName = pod.Spec.NodeName,
            Zone = pod.Spec.NodeName is { } node ? nodeLabels(node)?.GetValueOrDefault(ZoneLabel) : null,
            TargetRef = EndpointPods.Target(pod),
        };
    }

    private static ImmutableArray<EndpointPort> PortsOf(ImmutableArray<BackendPort> ports) =>
        [.. ports.Select(port => new EndpointPort { Name = port.Name ?? "", Port = port.Port, Protocol = port.Protocol, AppProtocol = port.AppProtocol })];

    private sealed class PortsComparer : IEqualityComparer<ImmutableArray<BackendPort>>
    {
        public static readonly PortsComparer Instance = new();

        public bool Equals(ImmutableArray<BackendPort> x, ImmutableArray<BackendPort> y) => x.SequenceEqual(y);

        public int GetHashCode(ImmutableArray<BackendPort> ports)
        {
            var hash = new HashCode();
            foreach (var port in ports)
                hash.Add(port);
            return hash.ToHashCode();
        }
    }
}
