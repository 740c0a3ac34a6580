using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Configuration;
using Weft.Control.Tests.Mesh.Feed;
using Weft.Control.Withdrawals;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Testing;

namespace Weft.Control.Tests.Withdrawals;

/// <summary>With the real server and controllers: from the deletion of a pod to the moment from which nobody sends to it.</summary>
public sealed class PodWithdrawalTests
{
    private const string Web = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: one}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web-0, labels: {app: web}}
        spec: {nodeName: one, tolerations: [{operator: Exists}], containers: [{name: main, image: web}]}
        """;

    private static readonly ObjectKey Pod = new("default", "web-0");

    [Fact]
    public async Task It_is_when_every_proxy_serves_without_the_pod_and_its_last_request_is_answered()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        using var withdrawals = Withdrawals(world);
        var quick = world.Proxy("quick");
        var uid = await ReadyAsync(world, quick);
        var slow = world.Proxy("slow", answers: false);
        var waiting = withdrawals.WaitAsync(Pod, uid, Late(world), CancellationToken.None);
        quick.Drains("10.244.0.7");
        await world.DeleteAsync("Pod", "web-0");
        await Eventually.TrueAsync(() => Endpoint(quick) is { Draining: true });
        Assert.False(waiting.IsCompleted);
        slow.Answer();
        await Eventually.TrueAsync(() => world.Hub.Proxies.All(proxy => proxy.Version == world.Hub.Version));
        Assert.False(waiting.IsCompleted);
        quick.Drains();
        Assert.True(await Eventually.EndsAsync(waiting));
    }

    [Fact]
    public async Task A_pod_that_is_not_deleted_and_a_proxy_that_does_not_answer_are_waited_for_until_the_deadline()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        using var withdrawals = Withdrawals(world);
        var uid = await ReadyAsync(world, world.Proxy("quick"));
        Assert.False(await withdrawals.WaitAsync(Pod, uid, world.Cluster.Time.GetUtcNow(), CancellationToken.None));
        world.Proxy("silent", answers: false);
        await world.DeleteAsync("Pod", "web-0");
        Assert.False(await withdrawals.WaitAsync(Pod, uid, world.Cluster.Time.GetUtcNow().AddMilliseconds(200), CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_waits_for_a_pod_that_was_never_offered_or_is_gone()
    {
        await using var world = await MeshWorld.StartAsync(Web);
        using var withdrawals = Withdrawals(world);
        Assert.True(await Eventually.EndsAsync(withdrawals.WaitAsync(new("default", "nobody"), "gone", Late(world), CancellationToken.None)));
        var uid = (string)(await world.GetAsync("Pod", "web-0"))["metadata"]!["uid"]!;
        await world.DeleteAsync("Pod", "web-0");
        Assert.True(await Eventually.EndsAsync(withdrawals.WaitAsync(Pod, uid, Late(world), CancellationToken.None)));
    }

    private static PodWithdrawals Withdrawals(MeshWorld world)
    {
        var informers = world.Cluster.Controllers.Informers;
        return new(informers.Cache<Pod>(), informers.Cache<EndpointSlice>(), world.Feed.CompiledAsync, new Propagation(world.Hub, world.Cluster.Time), world.Cluster.Time);
    }

    private static DateTimeOffset Late(MeshWorld world) => world.Cluster.Time.GetUtcNow().AddMinutes(1);

    private static async Task<string> ReadyAsync(MeshWorld world, FakeProxy proxy)
    {
        await world.SetStatusAsync("Pod", "web-0", """{"phase": "Running", "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}], "conditions": [{"type": "Ready", "status": "True"}]}""");
        await Eventually.TrueAsync(() => Endpoint(proxy) is { Draining: false });
        return (string)(await world.GetAsync("Pod", "web-0"))["metadata"]!["uid"]!;
    }

    private static Proxy.Config.Model.EndpointConfig? Endpoint(FakeProxy proxy) => proxy.Units.Values.Where(unit => unit.Key.Kind == UnitKind.Backends)
        .SelectMany(unit => ((BackendsUnit)UnitCodec.Read(unit)).Ports).SelectMany(port => port.Endpoints).FirstOrDefault(endpoint => endpoint.Address == "10.244.0.7");
}
