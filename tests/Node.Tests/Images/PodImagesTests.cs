using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Agent;
using Weft.Node.Images;
using Weft.Node.Pods;
using Weft.Node.Tests.Pods;
using Weft.Node.Volumes;
using Weft.Testing;

namespace Weft.Node.Tests.Images;

public sealed class PodImagesTests
{
    private static readonly Pod Pod = World.Pod("""{"containers":[{"name":"a","image":"nginx:1"}]}""", """{"uid":"u1"}""");

    // Once a pod stayed in ContainerCreating for good: its loop was woken by the end of the pull a moment before the outcome could be had.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_is_told_of_the_end_of_a_pull_finds_its_outcome(bool isThere)
    {
        var time = new ManualTime();
        var registry = new FakeImages { Gate = new TaskCompletionSource() };
        if (isThere)
            registry.Offer("docker.io/library/nginx:1");
        using var client = new KubeClient(new HttpClientHandler(), time);
        using var puller = new ImagePuller(registry, new ImageUse(), time);
        await using var events = new EventRecorder(client, "here", time, NullLogger<EventRecorder>.Instance);
        await using var secrets = new ObjectWatches<Secret>(client, time, new Random(1), (_, _) => { }, _ => { });
        var found = new TaskCompletionSource<PullOutcome?>(TaskCreationOptions.RunContinuationsAsynchronously);
        PodImages? images = null;
        await using var asked = images = new PodImages(puller, secrets, events, time, Ask);

        Assert.Null(await images.EnsureAsync(Pod, Pod.Spec.Containers[0], default));
        registry.Gate.SetResult();

        Assert.Equal(isThere ? typeof(PullOutcome.Here) : typeof(PullOutcome.Refused), (await found.Task.WaitAsync(TimeSpan.FromSeconds(30)))?.GetType());

        void Ask() => _ = AskAsync();

        async Task AskAsync() => found.TrySetResult(await images!.EnsureAsync(Pod, Pod.Spec.Containers[0], default));
    }
}
