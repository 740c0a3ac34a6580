using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Proxy.Mesh;

namespace Weft.Host.Proxy;

/// <summary>
/// What a node's proxy does while it waits to be needed: it takes over a small configuration of its own and serves a request of the front door by it, on loopback. To read the first unit of each kind and to
/// join them is most of what a start takes.
/// </summary>
internal static class MeshRehearsal
{
    private const string Host = "rehearsal.svc.cluster.local", Door = "rehearsal";

    /// <param name="askAsync">Asks an address for something.</param>
    public static async Task RunAsync(Func<IPEndPoint, Task> askAsync, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        await using var proxy = MeshProxy.Create(new MeshProxyOptions { Node = Door, DoorAddress = IPAddress.Loopback, Loops = 1 }, time, random, loggers);
        var state = new ConfigState(_ => { }, proxy);
        // As it is on disk.
        var step = (Delta)WireCodec.Read(WireCodec.Write(new Delta(1, 1, [.. Units()], [], More: false)));
        state.Apply([step]);
        if (proxy.DoorAddresses.TryGetValue(Door, out var address))
            await askAsync(address);
    }

    private static IEnumerable<ConfigUnit> Units()
    {
        var action = new ForwardAction { Clusters = [new WeightedCluster { Cluster = Host }] };
        yield return UnitCodec.Destination(Host, new DestinationUnit
        {
            Addresses = ["192.0.2.1"], // of nobody (RFC 5737)
            Ports = [new DestinationPort { Port = 80, Protocol = PortProtocol.Http, Routes = Host, Connections = [new ConnectionRoute { Clusters = [new WeightedCluster { Cluster = Host }] }] }],
        });
        yield return UnitCodec.Routes(Table(Host, action));
        yield return UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = Host }, Host = Host, Port = 80 });
        yield return UnitCodec.Backends(Door, new BackendsUnit { Host = Host, Ports = [new BackendPort(80, [new EndpointConfig { Address = "192.0.2.2", Port = 80 }])] });
        yield return UnitCodec.Workload("rehearsal/pod", new WorkloadUnit
        {
            Addresses = ["192.0.2.2"], Namespace = Door, ServiceAccount = "default", Identity = "spiffe://cluster.local/ns/rehearsal/sa/default", Node = Door, Policies = ["rehearsal/policy"],
        });
        yield return UnitCodec.Policy("rehearsal/policy", new PolicyUnit
        {
            Authorization = new AuthorizationPolicyConfig { Name = "rehearsal/policy", Rules = [new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/"] }] }] },
        });
        yield return UnitCodec.Listener(new ListenerUnit { Listener = new ListenerConfig { Name = Door, Port = 0, RouteTable = Door } });
        yield return UnitCodec.Routes(Table(Door, new DirectResponse { Status = 200 }), Door);
    }

    private static RouteTableConfig Table(string name, RouteAction action) => new()
    {
        Name = name, Hosts = [new VirtualHostConfig { Name = name, Domains = ["*"], Routes = [new RouteConfig { Name = name, Action = action }] }],
    };
}
