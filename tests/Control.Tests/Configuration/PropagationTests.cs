using Weft.Control.Configuration;
using Weft.Control.Tests.Mesh.Feed;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Testing;

namespace Weft.Control.Tests.Configuration;

public sealed class PropagationTests
{
    private readonly ConfigHub _hub = new(epoch: 1);
    private readonly ManualTime _time = new();

    private static ConfigUnit Pod(int version) => UnitCodec.Pod("shop", "a", new PodUnit { Addresses = [$"10.244.0.{version}"] });

    private DateTimeOffset Soon => _time.GetUtcNow().AddSeconds(5);

    [Fact]
    public async Task It_ends_when_all_connected_proxies_serve_by_the_version()
    {
        var propagation = new Propagation(_hub, _time);
        await using var quick = new FakeProxy(_hub, "quick");
        await using var slow = new FakeProxy(_hub, "slow", answers: false);
        _hub.Publish(Pod(1));
        var waiting = propagation.WaitServedAsync(propagation.Version, null, Soon, CancellationToken.None);
        Assert.True(await Eventually.EndsAsync(propagation.WaitServedAsync(propagation.Version, ["quick"], Soon, CancellationToken.None)));
        Assert.False(waiting.IsCompleted);
        slow.Answer();
        Assert.True(await Eventually.EndsAsync(waiting));
    }

    [Fact]
    public async Task A_proxy_that_goes_is_waited_for_only_by_name()
    {
        var propagation = new Propagation(_hub, _time);
        var gone = new FakeProxy(_hub, "gone", answers: false);
        _hub.Publish(Pod(1));
        var all = propagation.WaitServedAsync(propagation.Version, null, Soon, CancellationToken.None);
        var named = propagation.WaitServedAsync(propagation.Version, ["gone"], Soon, CancellationToken.None);
        await gone.DisposeAsync();
        Assert.True(await Eventually.EndsAsync(all));
        Assert.False(named.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.False(await Eventually.EndsAsync(named));
    }

    [Fact]
    public async Task An_endpoint_is_waited_for_as_long_as_a_connected_proxy_has_requests_there()
    {
        var propagation = new Propagation(_hub, _time);
        await using var one = new FakeProxy(_hub, "one");
        var other = new FakeProxy(_hub, "other");
        one.Drains("10.244.0.1", "10.244.0.2");
        other.Drains("10.244.0.1");
        Assert.True(await Eventually.EndsAsync(propagation.WaitDrainedAsync(["10.244.0.3"], Soon, CancellationToken.None)));
        var waiting = propagation.WaitDrainedAsync(["10.244.0.3", "10.244.0.1"], Soon, CancellationToken.None);
        one.Drains("10.244.0.2");
        Assert.False(waiting.IsCompleted);
        await other.DisposeAsync();
        Assert.True(await Eventually.EndsAsync(waiting));
        var late = propagation.WaitDrainedAsync(["10.244.0.2"], Soon, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.False(await Eventually.EndsAsync(late));
    }

    [Fact]
    public async Task A_rejection_stays_until_the_unit_is_told_again()
    {
        await using var proxy = new FakeProxy(_hub, "p") { Refused = Pod(1).Key };
        _hub.Publish(Pod(1));
        await Eventually.TrueAsync(() => _hub.Proxies is [{ Rejected.Length: 1 }]);
        var version = _hub.Update([UnitCodec.Pod("shop", "b", new PodUnit())], []);
        await Eventually.TrueAsync(() => _hub.Proxies[0].Version >= version);
        Assert.Equal(Pod(1).Key, _hub.Proxies[0].Rejected.Single().Key);
        proxy.Refused = null;
        _hub.Publish(Pod(2));
        await Eventually.TrueAsync(() => _hub.Proxies is [{ Rejected.IsEmpty: true }]);
    }

    [Fact]
    public void Several_changes_are_one_step()
    {
        using var subscription = _hub.Subscribe("p", new Dictionary<UnitKey, UnitHash>());
        _hub.Publish(Pod(1));
        var version = _hub.Update([UnitCodec.Pod("shop", "b", new PodUnit()), UnitCodec.Pod("shop", "c", new PodUnit())], [Pod(1).Key]);
        var step = Assert.Single(subscription.Take());
        Assert.Equal((version, 2), (step.Version, step.Upserts.Length));
        Assert.Equal([Pod(1).Key], step.Removes);
    }
}
