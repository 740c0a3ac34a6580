using Weft.Balancing;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Whom a node's proxy asks first: endpoints near its own node, and hosts that take over.</summary>
public sealed class NearnessTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";
    private static readonly Locality Berlin = new("eu", "berlin", null), Paris = new("eu", "paris", null), Ohio = new("us", "ohio", null);
    private readonly MeshBed _bed = new();
    private readonly Pod _berlin = new("berlin", "127.1.0.11"), _paris = new("paris", "127.1.0.12"), _ohio = new("ohio", "127.1.0.13");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        foreach (var pod in new[] { _berlin, _paris, _ohio })
            pod.Dispose();
    }

    [Fact]
    public void The_node_has_a_place_and_may_get_another_one()
    {
        Serve(new ClusterUnit { Cluster = new ClusterConfig { Name = Name + ":80", Locality = new LocalityPolicy { Failover = true } } });
        Assert.Equal(["berlin", "ohio", "paris"], Asked());
        _bed.Apply(Node("two", Berlin));
        Assert.Equal(["berlin", "ohio", "paris"], Asked());
        _bed.Apply(Node(MeshBed.Node, Paris));
        Assert.Equal(["paris"], Asked());
        _bed.Apply(Node(MeshBed.Node, Ohio));
        Assert.Equal(["ohio"], Asked());
        // Nobody is left there.
        _bed.Apply(MeshBed.Backends(Name, 80, At(_berlin, Berlin), At(_paris, Paris)));
        Assert.Equal(["berlin", "paris"], Asked());
        _bed.Remove(new UnitKey(UnitKind.Node, MeshBed.Node));
        Assert.Equal(["berlin", "paris"], Asked());
    }

    [Fact]
    public void Shares_by_place_are_those_of_the_nodes_place()
    {
        var shares = new LocalityPolicy { Distribute = [new LocalityWeights("eu/berlin", [new LocalityWeight("us/*", 100)]), new LocalityWeights("us/*", [new LocalityWeight("eu/paris", 100)])] };
        Serve(new ClusterUnit { Cluster = new ClusterConfig { Name = Name + ":80", Locality = shares } });
        _bed.Apply(Node(MeshBed.Node, Berlin));
        Assert.Equal(["ohio"], Asked());
        _bed.Apply(Node(MeshBed.Node, Ohio));
        Assert.Equal(["paris"], Asked());
    }

    [Fact]
    public void Labels_say_what_near_is()
    {
        Serve(new ClusterUnit { Cluster = new ClusterConfig { Name = Name + ":80" }, Nearness = [new NearnessLabel(NodeLabels.Region), new NearnessLabel("tier", "gold")] });
        _bed.Apply(Node(MeshBed.Node, Berlin));
        Assert.Equal(["paris"], Asked());
        _bed.Apply(MeshBed.Backends(Name, 80, At(_berlin, Berlin), At(_ohio, Ohio, tier: "gold")));
        Assert.Equal(["berlin"], Asked());
        _bed.Apply(Node(MeshBed.Node, Ohio));
        Assert.Equal(["ohio"], Asked());
    }

    [Fact]
    public void A_nodes_own_endpoints_go_first_or_are_the_only_ones()
    {
        Serve(new ClusterUnit { Cluster = new ClusterConfig { Name = Name + ":80" }, Nearness = [new NearnessLabel(NodeLabels.Region), new NearnessLabel(NodeLabels.Name)] });
        // Nobody has said where nodes are: they are all in one region.
        _bed.Apply(MeshBed.Backends(Name, 80, At(_berlin, default, node: "two"), At(_paris, default, node: MeshBed.Node)));
        Assert.Equal(["paris"], Asked());
        _bed.Apply(MeshBed.Backends(Name, 80, At(_berlin, default, node: "two"), At(_ohio, default)));
        Assert.Equal(["berlin", "ohio"], Asked());
        _bed.Apply(UnitCodec.Cluster(new ClusterUnit { Cluster = new ClusterConfig { Name = Name + ":80" }, Host = Name, Port = 80, SameNodeOnly = true }));
        Assert.Equal(503, _bed.Get(Client, Service, 80).Status);
        _bed.Apply(MeshBed.Backends(Name, 80, At(_berlin, default, node: "two"), At(_ohio, default, node: MeshBed.Node)));
        Assert.Equal(["ohio"], Asked());
    }

    [Fact]
    public void A_backup_takes_over_when_nobody_is_left_however_near_it_is()
    {
        const string Backup = "backup.shop.svc.cluster.local";
        Serve(new ClusterUnit
        {
            Cluster = new ClusterConfig { Name = Name + ":80", Locality = new LocalityPolicy { Failover = true } }, Labels = new ValueMap([new("tier", "gold")]), Backups = [new BackupHost(Backup, 81)],
        });
        _bed.Apply(Node(MeshBed.Node, Berlin), MeshBed.Backends(Name, 80, At(_paris, Paris, tier: "gold")), MeshBed.Backends(Backup, 81, At(_berlin, Berlin)));
        Assert.Equal(["paris"], Asked());
        _bed.Apply(MeshBed.Backends(Name, 80, At(_paris, Paris, tier: "gold") with { Draining = true }));
        Assert.Equal(["berlin"], Asked());
        _bed.Apply(MeshBed.Backends(Backup, 81, At(_ohio, Ohio)));
        Assert.Equal(["ohio"], Asked());
        _bed.Apply(MeshBed.Backends(Name, 80, At(_paris, Paris, tier: "gold")));
        Assert.Equal(["paris"], Asked());
    }

    private void Serve(ClusterUnit cluster) => _bed.Apply([
        MeshBed.Workload("client", Client), MeshBed.Workload("berlin", _berlin.Address), MeshBed.Workload("paris", _paris.Address), MeshBed.Workload("ohio", _ohio.Address),
        .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, At(_berlin, Berlin), At(_paris, Paris, tier: "gold"), At(_ohio, Ohio)),
        UnitCodec.Cluster(cluster with { Host = Name, Port = 80 }),
    ]);

    private string[] Asked() => [.. Enumerable.Range(0, 30).Select(_ => _bed.Get(Client, Service, 80).Body.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal)];

    private static ConfigUnit Node(string name, Locality place) => UnitCodec.Node(name, new NodeUnit { Locality = place });

    private static EndpointConfig At(Pod pod, Locality place, string? node = null, string tier = "none") => MeshBed.Endpoint(pod, ("tier", tier)) with { Locality = place, Node = node };
}
