using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Runtime;
using Weft.Node.Tests.Images;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

/// <summary>Pods of images through a real API server and the whole agent; only the runtime of images is held at its seam.</summary>
[Collection("machine")]
public sealed class ImagePodTests
{
    private const string Image = "docker.io/library/app:1";

    private readonly FakeContainers _containers = new();
    private readonly FakeImages _images = new();

    private Task<NodeFixture> StartAsync(int subnet) => NodeFixture.StartAsync(subnet, _ => Task.FromResult(_containers.With(_images)));

    private static Task<Pod> PodAsync(NodeFixture node, string name, string more = "") =>
        node.PodAsync(name, $$"""{"runtimeClassName":null,"terminationGracePeriodSeconds":1,"containers":[{"name":"main","image":"app:1"}]{{more}}}""");

    [Fact]
    public async Task An_image_is_pulled_with_the_pods_secret_and_the_status_names_it()
    {
        await using var node = await StartAsync(121);
        _images.Offer(Image);
        await node.CreateAsync("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"reg","namespace":"default"},"type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"{\"auths\":{\"docker.io\":{\"username\":\"u\",\"password\":\"p\"}}}"}}""");
        await PodAsync(node, "app", ""","imagePullSecrets":[{"name":"reg"},{"name":"absent"}]""");

        var pod = await node.ReadyAsync("app");

        var status = Assert.Single(pod.Status.ContainerStatuses);
        Assert.StartsWith("containerd://", status.ContainerID);
        Assert.Equal((Image, FakeImages.Image(Image).Digests[0]), (status.Image, status.ImageID));
        Assert.Equal("u", Assert.Single(Assert.Single(_images.Credentials)).UserName);
        await Eventually.TrueAsync(async () => (await node.EventsAsync("app")).Select(e => e.Reason).ToHashSet() is var reasons
            && new[] { "FailedToRetrieveImagePullSecret", "Pulling", "Pulled", "Created", "Started" }.All(reasons.Contains), "the events of a pull");
        await node.DeleteAsync("app");
        await node.GoneAsync("app");
        Assert.Empty((await _containers.ListAsync(default)).Sandboxes);
    }

    [Fact]
    public async Task An_image_that_cannot_be_had_shows_back_off_and_the_pod_can_be_deleted_meanwhile()
    {
        await using var node = await StartAsync(122);
        await PodAsync(node, "app");

        var pod = await node.UntilAsync("app", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "ImagePullBackOff" }], "in back-off");

        Assert.Equal(("Pending", "Back-off pulling image \"app:1\""), (pod.Status.Phase, pod.Status.ContainerStatuses[0].State!.Waiting!.Message));
        _images.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await PodAsync(node, "slow");
        await Eventually.TrueAsync(() => Task.FromResult(_images.AtOnce == 1), "a pull that hangs");
        await node.DeleteAsync("slow");
        await node.GoneAsync("slow");
    }

    [Fact]
    public async Task Containers_found_running_are_taken_over_once_their_runtime_is_there()
    {
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        late.SetResult();
        await using var node = await NodeFixture.StartAsync(123, async token =>
        {
            await late.Task.WaitAsync(token);
            return _containers.With(_images);
        });
        _images.Have(Image);
        await PodAsync(node, "app");
        await PodAsync(node, "gone");
        var before = await node.ReadyAsync("app");
        var orphan = await node.ReadyAsync("gone");

        await node.Agent.DisposeAsync();
        late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await node.Client.For<Pod>().DeleteAsync(new ObjectKey("default", "gone"), default, new Deletion { GracePeriodSeconds = 0 });
        await node.StartAgentAsync();
        await node.PodAsync("process", """{"containers":[{"name":"main","command":["sleep","1000"]}]}""");
        await node.ReadyAsync("process");   // does not wait for the image runtime
        Assert.Equal("Running", (await node.FindAsync("app"))!.Status.Phase);
        late.SetResult();

        await Eventually.TrueAsync(async () => (await _containers.ListAsync(default)).Sandboxes.All(s => s.Spec.PodUid != orphan.Metadata.Uid), "the pod without an object is taken away");
        _containers.End((await _containers.ListAsync(default)).Containers.Single().Id, 3);
        var after = await node.UntilAsync("app", p => p.Status.ContainerStatuses is [{ RestartCount: 1, State.Running: not null }], "restarted by the new agent");
        Assert.Equal(before.Status.ContainerStatuses[0].ContainerID, after.Status.ContainerStatuses[0].LastState!.Terminated!.ContainerID);
    }

    [Fact]
    public async Task What_the_image_runtime_lacks_is_said_until_it_comes()
    {
        var missing = true;
        await using var node = await NodeFixture.StartAsync(124, _ => Volatile.Read(ref missing)
            ? throw new RuntimeException(RuntimeError.Sandbox, "containerd is missing: install the package 'containerd'")
            : Task.FromResult(_containers.With(_images)));
        _images.Have(Image);
        await PodAsync(node, "app");

        var pod = await node.UntilAsync("app", p => p.Status.ContainerStatuses is [{ State.Waiting.Reason: "NoContainerRuntime" }], "told what is missing");
        Assert.StartsWith("containerd is missing", pod.Status.ContainerStatuses[0].State!.Waiting!.Message);
        Volatile.Write(ref missing, false);

        await node.ReadyAsync("app");
    }

    [Fact]
    public async Task An_ephemeral_container_joins_a_running_pod()
    {
        await using var node = await StartAsync(125);
        _images.Have(Image);
        _images.Offer("docker.io/library/busybox:latest");
        await PodAsync(node, "app", ""","shareProcessNamespace":true""");
        var pod = await node.ReadyAsync("app");

        await node.PatchAsync(
            "api/v1/namespaces/default/pods/app/ephemeralcontainers",
            """{"spec":{"ephemeralContainers":[{"name":"debug","image":"busybox","targetContainerName":"main","stdin":true,"tty":true}]}}""");

        await node.UntilAsync("app", p => p.Status.EphemeralContainerStatuses is [{ State.Running: not null, ImageID.Length: > 0 }], "the debugger runs");
        Assert.Equal(pod.Status.ContainerStatuses[0].ContainerID, "containerd://" + _containers.Specs["debug"].ProcessNamespaceOf);
        Assert.True((await _containers.ListAsync(default)).Sandboxes.Single().Spec.SharedPid);
    }
}
