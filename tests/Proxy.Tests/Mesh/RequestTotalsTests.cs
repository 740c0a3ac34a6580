using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>How many requests each address was sent.</summary>
public sealed class RequestTotalsTests : IAsyncLifetime
{
    private const string Client = "127.1.0.1", Stranger = "127.9.0.7", Service = "127.2.0.1", Name = "a.shop.svc.cluster.local";
    private readonly MeshBed _bed = new();
    private readonly Pod _one = new("one", "127.1.0.11"), _two = new("two", "127.1.0.12");

    public ValueTask InitializeAsync()
    {
        _bed.Apply([
            MeshBed.Workload("client", Client, "front"), MeshBed.Workload("one", _one.Address), MeshBed.Workload("two", _two.Address),
            .. MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one)),
        ]);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _bed.DisposeAsync();
        _one.Dispose();
        _two.Dispose();
    }

    private long Of(Pod pod) => _bed.Proxy.Requests.Read().GetValueOrDefault(IPAddress.Parse(pod.Address));

    private void Get(int times)
    {
        for (var i = 0; i < times; i++)
            Assert.Equal(200, _bed.Get(Client, Service, 80).Status);
    }

    [Fact]
    public void Each_request_to_a_host_counts_for_the_pod_that_it_reached()
    {
        Get(3);
        Assert.Equal(3, Of(_one));
        // Straight to a pod's address no requests are known, but bytes.
        Assert.Equal(200, _bed.Get(Client, _one.Address, _one.Port).Status);
        Assert.Equal((3, 0), (Of(_one), Of(_two)));
    }

    [Fact]
    public void By_way_of_the_inbound_side_it_counts_once_as_well_and_a_stranger_is_counted_there()
    {
        _bed.Apply(
            UnitCodec.Policy("shop/all", new PolicyUnit { Authorization = new AuthorizationPolicyConfig { Name = "shop/all", Action = AuthorizationAction.Deny, Rules = [new AuthorizationRule { To = [new AuthorizationOperation { Paths = ["/no"] }] }] } }),
            MeshBed.Workload("one", _one.Address, more: unit => unit with { Policies = ["shop/all"] }));
        Get(2);
        Assert.Equal(2, Of(_one));
        using var stranger = _bed.DialInbound(Stranger, _one.Address, _one.Port);
        Assert.Equal(200, MeshBed.Get(stranger).Status);
        Assert.Equal(3, Of(_one));
        // It did not get there.
        Assert.Equal(403, _bed.Get(Client, Service, 80, "/no").Status);
        using var refused = _bed.DialInbound(Stranger, _one.Address, _one.Port);
        Assert.Equal(403, MeshBed.Get(refused, "/no").Status);
        Assert.Equal(4, Of(_one));
    }

    [Fact]
    public void What_was_counted_outlives_the_cluster_that_it_was_counted_in()
    {
        const string Other = "b.shop.svc.cluster.local";
        _bed.Apply(MeshBed.Host(Other, "127.2.0.2", 80, PortProtocol.Http, MeshBed.Endpoint(_one)));
        Get(2);
        Assert.Equal(200, _bed.Get(Client, "127.2.0.2", 80).Status);
        Assert.Equal(3, Of(_one));
        _bed.Remove(new UnitKey(UnitKind.Cluster, $"{Other}:80"));
        Assert.Equal(3, Of(_one));
        _bed.Apply(MeshBed.Host(Name, Service, 80, PortProtocol.Http, MeshBed.Endpoint(_one), MeshBed.Endpoint(_two)));
        Get(2);
        Assert.Equal((4, 1), (Of(_one), Of(_two)));
    }

    [Fact]
    public void A_pod_that_does_not_answer_was_sent_nothing()
    {
        _one.Dispose();
        Assert.Equal(503, _bed.Get(Client, Service, 80).Status);
        Assert.Equal(0, Of(_one));
    }
}
