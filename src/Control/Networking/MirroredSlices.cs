using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Runtime;
using EndpointPort = Weft.Api.Discovery.EndpointPort;

namespace Weft.Control.Networking;

/// <summary>The slices that mirror Endpoints which somebody wrote by hand for a service without a selector.</summary>
internal static class MirroredSlices
{
    public const string Manager = "endpointslicemirroring-controller.k8s.io";
    private const string SkipLabel = "endpointslice.kubernetes.io/skip-mirror";
    private const string LeaderAnnotation = "control-plane.alpha.kubernetes.io/leader";

    // kube-controller-manager's --mirroring-max-endpoints-per-subset.
    private const int MaxPerSubset = 1000;

    public static bool IsMirrored(Service? service, Endpoints endpoints) =>
        service is { Spec.Selector.Count: 0 } && !endpoints.IsTerminating()
        && endpoints.Metadata.Labels.GetValueOrDefault(SkipLabel) != "true"
        && !endpoints.Metadata.Annotations.ContainsKey(LeaderAnnotation);

    public static SliceFrame Frame(Endpoints endpoints)
    {
        var labels = endpoints.Metadata.Labels.ToDictionary();
        labels[ServiceSlices.ServiceName] = endpoints.Metadata.Name ?? "";
        labels[ServiceSlices.ManagedBy] = Manager;
        return new SliceFrame(endpoints.Metadata.Name ?? "", labels, endpoints.AsController());
    }

    public static IReadOnlyList<SliceGroup> Groups(Endpoints endpoints)
    {
        var groups = new List<SliceGroup>();
        foreach (var subset in endpoints.Subsets)
        {
            ImmutableArray<EndpointPort> ports =
            [
                .. subset.Ports.Select(port => new EndpointPort
                {
                    Name = port.Name ?? "", Port = port.Port, Protocol = port.Protocol ?? "TCP", AppProtocol = port.AppProtocol,
                }),
            ];
            var all = subset.Addresses.Select(address => (Address: address, Ready: true))
                .Concat(subset.NotReadyAddresses.Select(address => (Address: address, Ready: false)))
                .Take(MaxPerSubset);
            groups.AddRange(all.GroupBy(entry => EndpointPods.FamilyOf(entry.Address.Ip))
                .Select(family => new SliceGroup(family.Key, ports, [.. family.Select(entry => EndpointOf(entry.Address, entry.Ready))])));
        }

        // Two subsets with the same ports share slices.
        return [.. groups.GroupBy(group => (group.AddressType, Ports: string.Join(' ', group.Ports)))
            .Select(same => same.First() with { Endpoints = [.. same.SelectMany(group => group.Endpoints)] })];
    }

    private static Endpoint EndpointOf(EndpointAddress address, bool ready) => new()
    {
        Addresses = [address.Ip],
        Conditions = new EndpointConditions { Ready = ready },
        Hostname = address.Hostname, NodeName = address.NodeName, TargetRef = address.TargetRef,
    };
}
