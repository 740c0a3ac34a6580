using System.Net;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh;

/// <summary>Hands a connection to the inbound side of a loop.</summary>
internal delegate void InboundAccept(EventLoop loop, int fd, IPEndPoint source, IPEndPoint destination, string? identity);

/// <param name="node">This one's name.</param>
/// <param name="door">As whom the front door sends.</param>
/// <param name="isOwn">Whether an address is this machine's; null: it cannot be told, and only pods are called with the client's address.</param>
/// <param name="newest">Of the step that is being taken over, whose clusters and policies are served before its addresses are; null: as <paramref name="view"/>.</param>
/// <param name="balancers">From which load balancers are given their addresses; null: it is not known.</param>
/// <param name="connector">Null: between nodes everything goes in plaintext.</param>
internal sealed class MeshPaths(string node, MeshSource door, ILocalWorkloads local, IMeshConnector? connector, OffLimits limits, Func<MeshView> view, InboundAccept inbound, Func<IPAddress, bool>? isOwn = null, Func<MeshView>? newest = null, IPNetwork? balancers = null) : IMeshPaths
{
    // What the proxy asks for itself (authorizers) it asks as nobody.
    private static readonly MeshSource Nobody = new(null, new LocalWorkload("", "", "", "", default), null);

    public MeshPath? Of(UpstreamEndpoint endpoint, ConnectionFacts? client, MeshTls tls)
    {
        var source = client is null ? Nobody : client.Mesh?.Source ?? door;
        var address = endpoint.Address.Address.Plain();
        if (client?.Keys is { } keys && !MayFetch(keys, address))
            return new MeshPath(MeshPathKind.Refused, source);
        // The last step to a pod of this node, after its policies.
        if (client?.Mesh is { Judged: { } judged })
            return view().WorkloadOf(address, local.Find(address))?.Key == judged ? null : new MeshPath(MeshPathKind.Refused, source);
        var registered = local.Find(address);
        var workload = view().WorkloadOf(address, registered);
        if (registered is not null || (workload is { IsMeshed: true } && workload.Unit.Node == node))
            return Near(source, address, workload, endpoint.Address.Port);
        var identity = endpoint.Config.Identity ?? workload?.Unit.Identity;
        var takesIt = tls == MeshTls.Always || workload?.ModeOf(endpoint.Address.Port) != MutualTls.Disable;
        if (tls != MeshTls.Never && takesIt && identity is not null && connector is not null && source.Identity is not null)
            return new MeshPath(MeshPathKind.Connector, source, identity);
        if (tls == MeshTls.Always)
            return new MeshPath(MeshPathKind.Refused, source);
        // Also who is not in the mesh sees who calls, and network policies go by that, on the way out as well. To this machine itself it is no way: the answer would go to the pod.
        return workload is not null || (isOwn is not null && !isOwn(address)) ? Borrowed(source, address) : null;
    }

    public int Dial(MeshPath path, IPEndPoint to, EventLoop loop)
    {
        switch (path.Kind)
        {
            case MeshPathKind.Connector:
                return connector!.Connect(path.Source.Workload, path.Source.Address, to, path.Identity!, loop);
            case MeshPathKind.Inbound:
                var pair = loop.Sockets.Pair();
                inbound(loop, pair.Other, new IPEndPoint(path.Source.Address ?? IPAddress.None, 0), to, path.Source.Identity);
                return pair.One;
            default:
                return -1;
        }
    }

    // In the cluster's ranges whoever is no pod and no service is a node, and what listens there believes nodes.
    public bool MayResolveTo(IPAddress address) => !limits.ForNames(address) && (!limits.IsOfCluster(address) || IsOfMesh(address.Plain()));

    // What a pod or a service has is theirs to guard: it is asked by its name, as the front door asks, and not from the node, which is let in where no pod is.
    public bool MayAsk(IPAddress address) => !limits.ForNames(address) && !limits.IsOfCluster(address) && !IsOfMesh(address.Plain()) && !IsOwn(address);

    // Also of a pod that shares the node's address: what else listens there is nobody's to ask.
    public bool MayAskEndpoint(IPAddress address) => MayResolveTo(address) && !IsOwn(address);

    // Anybody outside may ask there. The way leads to the service itself and not to the address, which is the node's own, too: nodes have those of balancers on their loopback interface.
    public string? ServiceAt(IPEndPoint at, bool isTls)
    {
        at = new IPEndPoint(at.Address.Plain(), at.Port);
        return limits.ForNames(at.Address) || limits.IsOfCluster(at.Address) ? null : ServiceAt(view(), at, isTls) ?? ServiceAt(Newest, at, isTls);
    }

    // A name may change hands in a step: until it is served whole it is of nobody who did not have it before, and not of who has it no more.
    public bool IsShown(string host, string @namespace) => IsShown(view(), host, @namespace) && IsShown(Newest, host, @namespace);

    public bool IsDeclared(string host) => IsDeclared(view(), host) || IsDeclared(Newest, host);

    public DestinationLabels LabelsOf(Cluster cluster, UpstreamEndpoint endpoint)
    {
        var address = endpoint.Address.Address.Plain();
        var labels = view().WorkloadOf(address, local.Find(address))?.Labels;
        // Of the clusters that every node has (MeshClusters) it cannot be said.
        return cluster.Originals is null || cluster.Config.Name.Contains(':', StringComparison.Ordinal) ? WorkloadNames.DestinationOf(WorkloadNames.HostOf(cluster.Config.Name), labels) : new DestinationLabels { Workload = labels ?? new WorkloadLabels() };
    }

    private MeshView Newest => newest?.Invoke() ?? view();

    private bool IsOwn(IPAddress address) => isOwn?.Invoke(address.Plain()) == true;

    private static bool IsShown(MeshView seen, string host, string @namespace) => !seen.Kept.TryGetValue(host, out var unit) || unit.Namespaces.Contains("*") || unit.Namespaces.Contains(@namespace);

    private static bool IsDeclared(MeshView seen, string host) => seen.Kept.TryGetValue(host, out var unit) && unit.Declared;

    // Judged for each endpoint that is chosen: whose a name is, and what a cluster's endpoints are, may be different by then.
    private bool MayFetch(KeyFetch keys, IPAddress address) => keys.Namespace is { } asks ? IsShown(keys.Host, asks) && (!IsDeclared(keys.Host) || MayAskEndpoint(address)) : !IsDeclared(keys.Host);

    private string? ServiceAt(MeshView seen, IPEndPoint at, bool isTls)
    {
        // An address of the pool was given to who has it, and so was the door's name. Any other a service takes for itself (externalIPs), and the world outside may find another there: TLS tells.
        if (seen.Shared.TryGetValue(at, out var sharing))
            return sharing.Values.First().Name is var first && (isTls || DoorNames.IsService(first) || balancers?.Contains(at.Address) == true) ? first : null;
        // At a node's own address a process, or a pod with a host port, may have the port before the door. Who asks with TLS notices, as the certificate is another's; without it whoever has the name at the door
        // would answer for who has it there.
        return !IsOwn(at.Address) ? null
            : seen.Shared.Where(pair => pair.Key.Port == at.Port).Select(pair => pair.Value.Values.First()).FirstOrDefault(host => DoorNames.IsService(host.Name) && host.Port(at.Port)?.Protocol == PortProtocol.Tls)?.Name;
    }

    // Clusters, and the front door, are there before what is served says whose their addresses are.
    private bool IsOfMesh(IPAddress plain) => IsOfMesh(view(), plain) || IsOfMesh(Newest, plain);

    private static bool IsOfMesh(MeshView seen, IPAddress plain) => (seen.Hosts.TryGetValue(plain, out var host) && WorkloadNames.IsService(host.Name))
        || (seen.Workloads.TryGetValue(plain, out var owners) && owners.Any(owner => owner.IsPod)) || seen.Shared.Keys.Any(at => at.Address.Equals(plain));

    // Of a pod that is registered and not known otherwise nobody knows the policies: the inbound side refuses it.
    private static MeshPath? Near(MeshSource source, IPAddress address, MeshWorkload? workload, int port)
    {
        if (workload is null || workload.HasRules || (source.Identity is null && workload.ModeOf(port) == MutualTls.Strict))
            return new MeshPath(MeshPathKind.Inbound, source);
        return Borrowed(source, address);
    }

    private static MeshPath? Borrowed(MeshSource source, IPAddress to) => source.Address is null || source.Address.Equals(to) ? null : new MeshPath(MeshPathKind.Borrowed, source);
}
