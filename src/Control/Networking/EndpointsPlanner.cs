using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Workloads;

namespace Weft.Control.Networking;

/// <summary>The one Endpoints object of a service, for clients that know no slices.</summary>
internal static class EndpointsPlanner
{
    public const string ManagedBy = "endpoints.kubernetes.io/managed-by";
    public const string Manager = "endpoint-controller";
    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";

    // Kubernetes' limit: beyond it the object says that it was cut, and slices have the rest.
    private const int MaxAddresses = 1000;

    /// <param name="existing">What is there; null: nothing.</param>
    /// <param name="pods">Selected by the service.</param>
    public static Endpoints Plan(Service service, Endpoints? existing, IReadOnlyList<Pod> pods)
    {
        var family = EndpointPods.Families(service)[0];
        var unready = service.Spec.PublishNotReadyAddresses == true;
        var backends = pods
            .Where(pod => pod.IsBackend() && EndpointPods.AddressOf(pod, family) is not null && (unready || !pod.IsTerminating()))
            .OrderBy(pod => pod.Metadata.CreationTimestamp).ThenBy(pod => pod.Metadata.Name, StringComparer.Ordinal)
            .ToList();

        var labels = service.Metadata.Labels.Where(label => label.Key is not (ManagedBy or ServiceSlices.Headless)).ToDictionary();
        labels[ManagedBy] = Manager;
        if (EndpointPods.IsHeadless(service))
            labels[ServiceSlices.Headless] = "";
        var annotations = (existing?.Metadata.Annotations ?? new Dictionary<string, string>()).Where(annotation => annotation.Key != OverCapacity).ToDictionary();
        if (backends.Count > MaxAddresses)
            annotations[OverCapacity] = "truncated";

        var planned = existing ?? new Endpoints { Metadata = new ObjectMeta { Name = service.Metadata.Name, Namespace = service.Metadata.Namespace } };
        return planned with
        {
            Metadata = planned.Metadata with { Labels = labels, Annotations = annotations },
            Subsets = Subsets(service, backends.Take(MaxAddresses), family, unready),
        };
    }

    // Ports with the same addresses share a subset.
    private static IReadOnlyList<EndpointSubset> Subsets(Service service, IEnumerable<Pod> pods, string family, bool unready)
    {
        var byPort = new Dictionary<BackendPort, List<(EndpointAddress Address, bool Ready)>>();
        var portless = new List<(EndpointAddress Address, bool Ready)>();
        foreach (var pod in pods)
        {
            var entry = (AddressOf(service, pod, family), unready || pod.IsReady());
            if (service.Spec.Ports.Count == 0)
                portless.Add(entry);
            foreach (var port in EndpointPods.Ports(service, pod))
            {
                if (!byPort.TryGetValue(port, out var addresses))
                    byPort[port] = addresses = [];
                addresses.Add(entry);
            }
        }

        var subsets = byPort
            .GroupBy(entry => string.Join(' ', entry.Value.Select(address => $"{address.Address.Ip}/{address.Address.TargetRef?.Uid}/{address.Ready}").Order(StringComparer.Ordinal)))
            .Select(group => Subset(group.First().Value, group.Select(entry => entry.Key)))
            .OrderBy(subset => string.Join(' ', subset.Ports.Select(port => $"{port.Name}/{port.Port}/{port.Protocol}")), StringComparer.Ordinal)
            .ToList();
        if (portless.Count > 0)
            subsets.Add(Subset(portless, []));
        return subsets;
    }

    private static EndpointSubset Subset(List<(EndpointAddress Address, bool Ready)> addresses, IEnumerable<BackendPort> ports) => new()
    {
        Addresses = [.. addresses.Where(entry => entry.Ready).Select(entry => entry.Address).OrderBy(address => address.Ip, StringComparer.Ordinal)],
        NotReadyAddresses = [.. addresses.Where(entry => !entry.Ready).Select(entry => entry.Address).OrderBy(address => address.Ip, StringComparer.Ordinal)],
        Ports =
        [
            .. ports.OrderBy(port => port.Name, StringComparer.Ordinal).ThenBy(port => port.Port).Select(port => new EndpointPort
            {
                Name = string.IsNullOrEmpty(port.Name) ? null : port.Name, Port = port.Port, Protocol = port.Protocol, AppProtocol = port.AppProtocol,
            }),
        ],
    };

    private static EndpointAddress AddressOf(Service service, Pod pod, string family) => new()
    {
        Ip = EndpointPods.AddressOf(pod, family)!,
        NodeName = pod.Spec.NodeName,
        Hostname = EndpointPods.HostnameFor(service, pod),
        TargetRef = EndpointPods.Target(pod),
    };
}
