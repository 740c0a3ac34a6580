using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Node.Network.Mesh;
using Weft.Node.Pods;
using Weft.Testing;

namespace Weft.Node.Tests.Network.Mesh;

/// <summary>Which pods are captured and known to the proxy, also when the kernel refuses for a while.</summary>
public sealed class MeshPodsTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TempDir _dir = new();
    private readonly FakeKernel _kernel = new();
    private FakeRegistry _proxy = null!;
    private MeshPods _pods = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = new FakeRegistry(_dir.File("mesh.sock"));
        _pods = await MeshPods.StartAsync(
            _kernel, _dir.File("mesh.sock"), new PodDirectories(_dir.Path), (name, _) => Task.FromResult(new Namespace { Metadata = new ObjectMeta { Name = name } }), TimeProvider.System, NullLoggerFactory.Instance, None);
    }

    public async ValueTask DisposeAsync()
    {
        await _pods.DisposeAsync();
        await _proxy.DisposeAsync();
        _dir.Dispose();
    }

    [Fact]
    public async Task A_pod_whose_capture_failed_joins_only_when_it_stands()
    {
        _kernel.Refusals = 2;   // the change, and all anew
        await Assert.ThrowsAsync<IOException>(() => _pods.JoinAsync(Pod("u1"), ["10.1.0.2"], None));
        _kernel.Refusals = 1;
        await Assert.ThrowsAsync<IOException>(() => _pods.JoinAsync(Pod("u1"), ["10.1.0.2"], None));
        Assert.False(File.Exists(FileOf("u1")));

        await _pods.JoinAsync(Pod("u1"), ["10.1.0.2"], None);
        Assert.Equal(["10.1.0.2"], _kernel.Captured);
    }

    [Fact]
    public async Task A_pod_that_never_joined_leaves_nothing_captured()
    {
        _kernel.Refusals = 2;
        await Assert.ThrowsAsync<IOException>(() => _pods.JoinAsync(Pod("u1"), ["10.1.0.2"], None));
        await _pods.LeaveAsync("u1", None);
        await _pods.JoinAsync(Pod("u2"), ["10.1.0.3"], None);
        Assert.Equal(["10.1.0.3"], _kernel.Captured);
    }

    [Fact]
    public async Task What_failed_when_a_pod_left_is_done_when_it_is_tried_again()
    {
        await _pods.JoinAsync(Pod("u1"), ["10.1.0.2"], None);
        _kernel.Refusals = 2;
        await Assert.ThrowsAsync<IOException>(() => _pods.LeaveAsync("u1", None));
        Assert.True(File.Exists(FileOf("u1")));

        await _pods.LeaveAsync("u1", None);
        Assert.Empty(_kernel.Captured);
        Assert.False(File.Exists(FileOf("u1")));
        await Eventually.TrueAsync(() => _proxy.Lines[^1] == """{"do":"remove","uid":"u1"}""");
    }

    [Fact]
    public async Task A_look_at_the_rules_mends_what_a_change_left_undone()
    {
        await using var capture = await PodCapture.StartAsync(_kernel, [], TimeProvider.System, NullLogger.Instance, None);
        _kernel.Refusals = 2;
        await Assert.ThrowsAsync<IOException>(() => capture.SetAsync("u1", ["10.1.0.2"], None));
        await capture.RestoreAsync(None);
        Assert.Equal(["10.1.0.2"], _kernel.Captured);
    }

    [Fact]
    public async Task An_update_never_brings_back_who_left()
    {
        const int Rounds = 200;
        for (var i = 0; i < Rounds; i++)
        {
            var uid = $"u{i}";
            await _pods.JoinAsync(Pod(uid), ["10.1.0.2"], None);
            using var both = new Barrier(2);
            await Task.WhenAll(
                Task.Run(() =>
                {
                    both.SignalAndWait();
                    _pods.Update(Pod(uid, "other"));
                }),
                Task.Run(async () =>
                {
                    both.SignalAndWait();
                    await _pods.LeaveAsync(uid, None);
                }));
            Assert.False(File.Exists(FileOf(uid)));
        }

        // When the proxy has heard of this one it has heard of all that was before.
        await _pods.JoinAsync(Pod("last"), ["10.1.0.3"], None);
        var known = new HashSet<string>();
        foreach (var line in _proxy.Lines)
        {
            var order = System.Text.Json.JsonSerializer.Deserialize(line, RegistrationJson.Default.RegistrationOrder)!;
            if (order.Do == "add")
                known.Add(order.Pod!.Uid);
            else if (order.Do == "remove")
                known.Remove(order.Uid!);
        }

        Assert.Equal(["last"], known);
    }

    private string FileOf(string uid) => Path.Combine(new PodDirectories(_dir.Path).Pod(uid), "mesh.json");

    private static Pod Pod(string uid, string app = "web") => new()
    {
        Metadata = new ObjectMeta { Uid = uid, Name = "web-1", Namespace = "shop", Labels = new Dictionary<string, string> { ["app"] = app } },
        Spec = new PodSpec { ServiceAccountName = "web" },
    };
}
