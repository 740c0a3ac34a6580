using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Cluster;

/// <summary>Nodes that fall silent, on a clock that the test moves.</summary>
public sealed class NodeClusterTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(_time);
        foreach (var name in (string[])["a", "b"])
        {
            await Nodes.CreateAsync(null, new Node { Metadata = new ObjectMeta { Name = name } }, CancellationToken.None);
            await BeatAsync(name);
        }

        await CreatePodAsync("patient", "a", seconds: 60);
        await CreatePodAsync("loyal", "a", seconds: null);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private ResourceClient<Node> Nodes => _cluster.Client.For<Node>();

    private ResourceClient<Pod> Pods => _cluster.Client.For<Pod>();

    private async Task BeatAsync(string name, string ready = "True")
    {
        var status = new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject
                {
                    ["type"] = "Ready", ["status"] = ready, ["lastHeartbeatTime"] = Stamp(), ["lastTransitionTime"] = Stamp(),
                }),
            },
        };
        await Nodes.PatchStatusAsync(new ObjectKey("", name), Patch.Merge(status), CancellationToken.None);
        await SeenAsync(name);
    }

    private string Stamp() => _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    // The controllers' cache has what the server has.
    private Task SeenAsync(string name) => Eventually.TrueAsync(async () =>
        _cluster.Controllers.Informers.Cache<Node>().Find(new ObjectKey("", name))?.Metadata.ResourceVersion
        == (await Nodes.GetAsync(new ObjectKey("", name), CancellationToken.None)).Metadata.ResourceVersion);

    private async Task CreatePodAsync(string name, string node, int? seconds)
    {
        var template = Make.Template().Spec;
        await Pods.CreateAsync("default", new Pod
        {
            Metadata = new ObjectMeta { Name = name },
            Spec = template with
            {
                NodeName = node,
                Tolerations =
                [
                    new Toleration { Key = "node.kubernetes.io/unreachable", Operator = "Exists", Effect = "NoExecute", TolerationSeconds = seconds },
                    new Toleration { Key = "node.kubernetes.io/not-ready", Operator = "Exists", Effect = "NoExecute", TolerationSeconds = seconds },
                ],
            },
        }, CancellationToken.None);
        var status = (JsonObject)JsonNode.Parse("""{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}""")!;
        await Pods.PatchStatusAsync(new ObjectKey("default", name), Patch.Merge(status), CancellationToken.None);
    }

    private async Task<string> TaintsAsync(string name) => string.Join(' ', (await Nodes.GetAsync(new ObjectKey("", name), CancellationToken.None))
        .Spec.Taints.Select(taint => $"{taint.Key.Split('/')[1]}:{taint.Effect}").Order());

    private async Task<Pod?> FindAsync(string pod) => await Pods.FindAsync(new ObjectKey("default", pod), CancellationToken.None);

    /// <summary>Time passes in steps that no pause detector takes for a sleep; b is alive meanwhile.</summary>
    // Time goes on while the test waits: what leaps past a controller that is not looking counts as the controller's own sleep, and must come again.
    private Task UntilAsync(Func<Task<bool>> holds) => Eventually.TrueAsync(
        async () =>
        {
            await PassAsync(5);
            return await holds();
        },
        state: () => string.Join('\n', _cluster.Complaints));

    private async Task PassAsync(int seconds)
    {
        for (var passed = 0; passed < seconds; passed += 5)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            await BeatAsync("b");
        }
    }

    [Fact]
    public async Task A_silent_node_becomes_unknown_its_pods_unready_and_then_leave_as_they_tolerate()
    {
        await PassAsync(45);
        await UntilAsync(async () => await TaintsAsync("a") == "unreachable:NoExecute unreachable:NoSchedule");
        var ready = (await Nodes.GetAsync(new ObjectKey("", "a"), CancellationToken.None)).Status.Conditions.Single(condition => condition.Type == "Ready");
        Assert.Equal(("Unknown", "NodeStatusUnknown"), (ready.Status, ready.Reason));
        Assert.Equal("", await TaintsAsync("b"));
        await Eventually.TrueAsync(async () => (await FindAsync("patient"))!.Condition("Ready") is { Status: "False", Reason: "NodeNotReady" });
        Assert.Null((await FindAsync("patient"))!.Metadata.DeletionTimestamp);

        await PassAsync(70);
        await UntilAsync(async () => (await FindAsync("patient"))?.IsTerminating() != false);
        Assert.False((await FindAsync("loyal"))!.IsTerminating());

        await BeatAsync("a");
        await Eventually.TrueAsync(async () => await TaintsAsync("a") == "");
        Assert.Empty(_cluster.Complaints);
    }

    [Fact]
    public async Task After_a_sleep_of_the_machine_nobody_is_judged_by_the_time_that_was_slept()
    {
        _time.Advance(TimeSpan.FromSeconds(5));
        _time.Sleep(TimeSpan.FromHours(8));
        _time.Advance(TimeSpan.FromSeconds(5)); // the first tick after waking up
        await PassAsync(20);
        Assert.Equal("", await TaintsAsync("a"));
        await BeatAsync("a");
        await PassAsync(20);
        Assert.Equal("", await TaintsAsync("a"));
        Assert.Contains(_cluster.Complaints, line => line.Contains("stood still", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_every_node_falls_silent_none_is_emptied()
    {
        // Step by step until it is seen: time that leaps while the controller is not looking counts as its own sleep, which is no silence of the nodes.
        foreach (var name in (string[])["a", "b"])
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    _time.Advance(TimeSpan.FromSeconds(5));
                    return await TaintsAsync(name) == "unreachable:NoSchedule";
                },
                state: () => string.Join('\n', _cluster.Complaints));
        }

        // One comes back: what the other has is now worth moving.
        await BeatAsync("b");
        await PassAsync(30);
        await UntilAsync(async () => await TaintsAsync("b") == "" && await TaintsAsync("a") == "unreachable:NoExecute unreachable:NoSchedule");
    }

    [Fact]
    public async Task Pods_of_a_node_that_is_gone_are_removed_after_a_quarantine()
    {
        await Nodes.DeleteAsync(new ObjectKey("", "a"), CancellationToken.None);
        await Eventually.TrueAsync(() => _cluster.Controllers.Informers.Cache<Node>().Find(new ObjectKey("", "a")) is null);
        await PassAsync(20);
        Assert.NotNull(await FindAsync("loyal"));
        await PassAsync(30);
        await UntilAsync(async () => await FindAsync("loyal") is null && await FindAsync("patient") is null);
    }
}
