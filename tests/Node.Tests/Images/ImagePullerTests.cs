using Weft.Api.Core;
using Weft.Node.Images;
using Weft.Node.Tests.Pods;
using Weft.Testing;

namespace Weft.Node.Tests.Images;

public sealed class ImagePullerTests
{
    private readonly FakeImages _images = new();
    private readonly ManualTime _time = new();
    private readonly List<string> _told = [];
    private readonly ImageUse _use = new();
    private readonly ImagePuller _puller;

    public ImagePullerTests() => _puller = new ImagePuller(_images, _use, _time);

    private static Pod Pod(string image, string? policy = null, string uid = "u1") =>
        World.Pod($$"""{"containers":[{"name":"a","image":"{{image}}"{{(policy is null ? "" : $",\"imagePullPolicy\":\"{policy}\"")}}}]}""", $$"""{"uid":"{{uid}}"}""");

    private void Tell(bool warning, string reason, string message)
    {
        lock (_told)
            _told.Add($"{(warning ? "!" : "")}{reason}");
    }

    private async Task<PullOutcome> EnsureAsync(Pod pod) =>
        await _puller.LookAsync(pod, pod.Spec.Containers[0], Tell, default) ?? await _puller.PullAsync(pod, pod.Spec.Containers[0], [], Tell, default);

    [Theory]
    [InlineData("nginx:1", null, 0)]
    [InlineData("nginx:1", "IfNotPresent", 0)]
    [InlineData("nginx:1", "Never", 0)]
    [InlineData("nginx:1", "Always", 1)]
    [InlineData("nginx", null, 1)]
    [InlineData("nginx", "IfNotPresent", 0)]
    public async Task An_image_that_is_here_is_asked_for_again_only_by_policy(string image, string? policy, int pulls)
    {
        var full = ImageName.Parse(image)!.Full;
        _images.Have(full);
        _images.Offer(full);

        Assert.IsType<PullOutcome.Here>(await EnsureAsync(Pod(image, policy)));

        Assert.Equal(pulls, _images.Pulls.Count);
        Assert.Equal("Pulled", _told[^1]);
        Assert.Equal(_time.GetUtcNow(), _use.LastUsed("sha256:" + full));
    }

    [Fact]
    public async Task A_pull_that_fails_backs_off_for_longer_and_longer_and_says_so()
    {
        var pod = Pod("nginx:1");
        Assert.Equal("ErrImagePull", Assert.IsType<PullOutcome.Refused>(await EnsureAsync(pod)).Reason);
        Assert.Equal(["Pulling", "!Failed"], _told);

        var wait = TimeSpan.FromSeconds(10);
        for (var i = 0; i < 8; i++)
        {
            var refused = Assert.IsType<PullOutcome.Refused>(await EnsureAsync(pod));
            Assert.Equal(("ImagePullBackOff", "Back-off pulling image \"nginx:1\""), (refused.Reason, refused.Message));
            Assert.Equal(_time.GetUtcNow() + wait, refused.RetryAt);
            _time.Advance(wait);
            Assert.Equal("ErrImagePull", Assert.IsType<PullOutcome.Refused>(await EnsureAsync(pod)).Reason);
            wait = wait * 2 > TimeSpan.FromMinutes(5) ? TimeSpan.FromMinutes(5) : wait * 2;
        }

        _time.Advance(wait);
        _images.Offer("docker.io/library/nginx:1");
        Assert.IsType<PullOutcome.Here>(await EnsureAsync(pod));
    }

    [Fact]
    public async Task Another_pod_does_not_wait_for_the_back_off_of_the_first()
    {
        await EnsureAsync(Pod("nginx:1"));

        Assert.Equal("ErrImagePull", Assert.IsType<PullOutcome.Refused>(await EnsureAsync(Pod("nginx:1", uid: "u2"))).Reason);
    }

    [Theory]
    [InlineData("nginx:1", "Never", "ErrImageNeverPull", "!ErrImageNeverPull")]
    [InlineData("NGINX:1", null, "InvalidImageName", "!InspectFailed")]
    public async Task What_no_registry_can_help_with_is_refused_without_one(string image, string? policy, string reason, string told)
    {
        Assert.Equal(reason, Assert.IsType<PullOutcome.Refused>(await EnsureAsync(Pod(image, policy))).Reason);

        Assert.Equal([told], _told);
        Assert.Empty(_images.Pulls);
    }

    [Fact]
    public async Task One_image_is_pulled_once_for_all_who_wait_for_it_and_few_images_at_once()
    {
        _images.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < 12; i++)
            _images.Offer($"docker.io/library/i{i}:1");
        var all = Enumerable.Range(0, 12).SelectMany(i => Enumerable.Range(0, 3).Select(n => EnsureAsync(Pod($"i{i}:1", uid: $"u{n}")))).ToList();
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref _images.AtOnce) == 5), "five pulls at once");

        _images.Gate.SetResult();

        Assert.All(await Task.WhenAll(all), outcome => Assert.IsType<PullOutcome.Here>(outcome));
        Assert.Equal((12, 5), (_images.Pulls.Count, _images.MostAtOnce));
    }

    [Fact]
    public async Task A_waiter_that_is_cancelled_lets_the_others_go_on()
    {
        _images.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _images.Offer("docker.io/library/i:1");
        var pod = Pod("i:1");
        using var stop = new CancellationTokenSource();
        var first = EnsureAsync(pod);
        var second = _puller.PullAsync(pod, pod.Spec.Containers[0], [], Tell, stop.Token);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        _images.Gate.SetResult();

        Assert.IsType<PullOutcome.Here>(await first);
    }
}
