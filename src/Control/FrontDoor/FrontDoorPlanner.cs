using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Networking;
using Weft.Control.Runtime;
using EndpointPort = Weft.Api.Discovery.EndpointPort;

namespace Weft.Control.FrontDoor;

/// <summary>The front door as an ordinary Service: type LoadBalancer, without a selector, whose endpoints are the nodes' proxies. Pure.</summary>
internal static class FrontDoorPlanner
{
    public const string Namespace = "istio-system";

    public const string Name = "istio-ingressgateway";

    /// <summary>On the Service that is ours. Another of the name is left alone.</summary>
    public const string Label = "weft.dev/front-door";

    private const string Manager = "front-door.weft.dev";

    private const string ZoneLabel = "topology.kubernetes.io/zone";

    public static bool IsOurs(Service service) => service.Metadata.Labels.ContainsKey(Label);

    public static Service Create(IReadOnlyList<DoorListener> listeners) => new()
    {
        Metadata = new()
        {
            Name = Name, Namespace = Namespace,
            // By the first two a Gateway's selector finds Istio's own.
            Labels = new Dictionary<string, string> { ["istio"] = "ingressgateway", ["app"] = Name, [Label] = "true" },
        },
        // Local: the client's address stays, and a node's traffic is answered by its own proxy.
        Spec = new() { Type = "LoadBalancer", ExternalTrafficPolicy = "Local", Ports = Ports([], listeners) },
    };

    /// <summary>
    /// A port for each listener. What is there for a listener stays as its owner made it, by another number too; what was made for a listener that is gone goes; others stay.
    /// </summary>
    public static IReadOnlyList<ServicePort> Ports(IReadOnlyList<ServicePort> existing, IReadOnlyList<DoorListener> listeners)
    {
        var kept = existing.Where(port => !IsMade(port) || listeners.Any(listener => listener.Port == TargetOf(port))).ToList();
        var added = listeners.Where(listener => !kept.Exists(port => IsTcp(port) && (TargetOf(port) == listener.Port || port.Port == listener.Port)))
            .Select(listener => new ServicePort { Name = NameOf(listener), Protocol = "TCP", Port = listener.Port, TargetPort = listener.Port });
        return [.. kept, .. added];
    }

    /// <param name="nodes">All of the cluster.</param>
    public static ImmutableArray<SliceStep> Slices(Service service, IReadOnlyList<DoorListener> listeners, IEnumerable<Node> nodes, IReadOnlyList<EndpointSlice> existing)
    {
        var ports = service.Spec.Ports.Where(port => IsTcp(port) && listeners.Any(listener => listener.Port == TargetOf(port)))
            .Select(port => new EndpointPort { Name = port.Name ?? "", Port = TargetOf(port), Protocol = "TCP", AppProtocol = port.AppProtocol }).ToImmutableArray();
        var endpoints = nodes.Where(IsReady).OrderBy(node => node.Metadata.Name, StringComparer.Ordinal).Select(Endpoint).OfType<Endpoint>().ToList();
        var frame = new SliceFrame(Name, new Dictionary<string, string> { [ServiceSlices.ServiceName] = Name, [ServiceSlices.ManagedBy] = Manager }, service.AsController());
        return SlicePlanner.Plan(frame, [new SliceGroup("IPv4", ports, endpoints)], existing);
    }

    public static bool IsSlice(EndpointSlice slice)
        => slice.Metadata.Labels.GetValueOrDefault(ServiceSlices.ManagedBy) == Manager && slice.Metadata.Labels.GetValueOrDefault(ServiceSlices.ServiceName) == Name;

    /// <summary>The first address of a node's pod range, which the node has itself and where its proxy listens; null: it has no range yet.</summary>
    public static string? AddressOf(Node node)
    {
        var range = node.Spec.PodCIDRs.Prepend(node.Spec.PodCIDR).FirstOrDefault(text => IPNetwork.TryParse(text, out var network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork);
        if (range is null)
            return null;
        var bytes = IPNetwork.Parse(range).BaseAddress.GetAddressBytes();
        bytes[3]++;
        return new IPAddress(bytes).ToString();
    }

    private static Endpoint? Endpoint(Node node) => AddressOf(node) is not { } address ? null : new()
    {
        Addresses = [address], NodeName = node.Metadata.Name, Zone = node.Metadata.Labels.GetValueOrDefault(ZoneLabel),
        Conditions = new() { Ready = true, Serving = true, Terminating = false },
    };

    private static bool IsReady(Node node) => !node.IsTerminating() && node.Status.Conditions.Any(condition => condition is { Type: "Ready", Status: "True" });

    private static bool IsTcp(ServicePort port) => port.Protocol is null or "TCP";

    private static int TargetOf(ServicePort port) => port.TargetPort is { IsInt: true, Number: > 0 } target ? target.Number : port.Port;

    private static string NameOf(DoorListener listener) => string.Create(CultureInfo.InvariantCulture, $"{listener.Protocol}-{listener.Port}");

    // By its name: it is made of the listener's number, whatever number its owner has given the port since.
    private static bool IsMade(ServicePort port)
        => new[] { "http", "https", "tls", "tcp" }.Any(protocol => port.Name == string.Create(CultureInfo.InvariantCulture, $"{protocol}-{TargetOf(port)}"));
}
