using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Configuration;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Testing;

namespace Weft.Control.Tests.Configuration;

public sealed class ConfigStreamTests : IAsyncDisposable
{
    private readonly ConfigHub _hub = new(epoch: 77);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IDisposable> _sockets = [];
    private readonly List<Task> _serving = [];

    [Fact]
    public async Task A_proxy_gets_what_it_lacks_and_loses_what_is_gone()
    {
        _hub.Publish(Pod("a", 1));
        _hub.Publish(Pod("b", 1));
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 0, [State(Pod("a", 1)), State(Pod("b", 2)), State(Pod("c", 1))], More: false), default);

        var delta = await DeltaAsync(proxy);
        Assert.Equal([Pod("b", 1)], delta.Upserts);
        Assert.Equal([Pod("c", 1).Key], delta.Removes);
        Assert.Equal((77UL, _hub.Version, false), (delta.Epoch, delta.Version, delta.More));

        await proxy.SendAsync(new Ack(delta.Version, []), default);
        await Eventually.TrueAsync(() => _hub.Proxies.Any(state => state.Proxy == "p1" && state.Version == delta.Version));
    }

    [Fact]
    public async Task A_proxy_that_has_everything_is_told_that_it_has()
    {
        _hub.Publish(Pod("a", 1));
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 77, [State(Pod("a", 1))], More: false), default);
        var delta = await DeltaAsync(proxy);
        Assert.Empty(delta.Upserts);
        Assert.Empty(delta.Removes);
    }

    [Fact]
    public async Task Nothing_is_said_before_the_first_state_is_whole()
    {
        _hub.Publish(Pod("a", 1));
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 0, [State(Pod("b", 1))], More: false), default);
        _hub.Publish(Pod("b", 1));
        _hub.MarkComplete();
        var delta = await DeltaAsync(proxy);
        Assert.Empty(delta.Removes);
        Assert.Equal([Pod("a", 1)], delta.Upserts);
    }

    [Fact]
    public async Task A_proxy_that_is_slow_gets_each_unit_once_as_it_is_then()
    {
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 0, [], More: false), default);
        var first = await DeltaAsync(proxy);
        // Not acknowledged: whatever happens now waits, once for each key.
        for (var i = 0; i < 1000; i++)
        {
            _hub.Publish(Pod("a", i));
            _hub.Publish(Pod("b", i));
        }

        _hub.Remove(Pod("b", 0).Key);
        await proxy.SendAsync(new Ack(first.Version, []), default);
        var next = await DeltaAsync(proxy);
        Assert.Equal([Pod("a", 999)], next.Upserts);
        Assert.Equal([Pod("b", 0).Key], next.Removes);
    }

    [Fact]
    public async Task A_change_of_one_unit_is_one_small_message()
    {
        for (var i = 0; i < 5000; i++)
            _hub.Publish(Pod("p" + i, 1));
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 0, [], More: false), default);
        var got = 0;
        Delta delta;
        do
        {
            delta = await DeltaAsync(proxy);
            got += delta.Upserts.Length;
        }
        while (delta.More);
        Assert.Equal(5000, got);
        await proxy.SendAsync(new Ack(delta.Version, []), default);

        _hub.Publish(Pod("p17", 2));
        _hub.Publish(Pod("p17", 2)); // as it is: nothing
        delta = await DeltaAsync(proxy);
        Assert.Equal([Pod("p17", 2)], delta.Upserts);
        Assert.True(WireCodec.Write(delta).Length < 200);
    }

    [Fact]
    public async Task What_drains_is_told_between_acknowledgements_and_known_before_them()
    {
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.OldestVersion, 0, [], More: false), default);
        await proxy.SendAsync(new Draining(["10.244.0.7"]), default);
        await proxy.SendAsync(new Ack((await DeltaAsync(proxy)).Version, []), default);
        await Eventually.TrueAsync(() => _hub.Proxies is [var one] && one.Draining.SetEquals(["10.244.0.7"]));
        await proxy.SendAsync(new Draining([]), default);
        await Eventually.TrueAsync(() => _hub.Proxies is [{ Draining.Count: 0 }]);
        _hub.Publish(Pod("a", 1));
        await proxy.SendAsync(new Ack((await DeltaAsync(proxy)).Version, []), default);
        await Eventually.TrueAsync(() => _hub.Proxies is [{ Version: > 0 }]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(WireLimits.Version + 1)]
    public async Task Another_wire_version_is_refused(int version)
    {
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello((ushort)version, 0, [], More: false), default);
        await Eventually.EndsAsync(_serving[0]);
        Assert.Empty(_hub.Proxies);
    }

    [Fact]
    public async Task A_proxy_that_goes_is_forgotten()
    {
        _hub.MarkComplete();
        var proxy = await ConnectAsync("p1");
        await proxy.SendAsync(new Hello(WireLimits.Version, 0, [], More: false), default);
        await proxy.SendAsync(new Ack((await DeltaAsync(proxy)).Version, []), default);
        await Eventually.TrueAsync(() => _hub.Proxies.Count == 1);
        _sockets[0].Dispose();
        await Eventually.TrueAsync(() => _hub.Proxies.Count == 0);
    }

    private static ConfigUnit Pod(string name, int version) => UnitCodec.Pod("shop", name, new PodUnit { Addresses = [$"10.244.{version / 256}.{version % 256}"] });

    private static UnitState State(ConfigUnit unit) => new(unit.Key, unit.Hash);

    private static async Task<Delta> DeltaAsync(WireChannel proxy) => Assert.IsType<Delta>(await Eventually.EndsAsync(proxy.ReceiveAsync(default)));

    private async Task<WireChannel> ConnectAsync(string name)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient();
        _sockets.Add(client);
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        var server = await listener.AcceptTcpClientAsync();
        _sockets.Add(server);
        var stream = new ConfigStream(_hub, TimeProvider.System, NullLogger<ConfigStream>.Instance);
        var ends = WebSocket.CreateFromStream(server.GetStream(), new WebSocketCreationOptions { IsServer = true });
        _serving.Add(stream.ServeAsync(name, ends, _stopping.Token));
        return new WireChannel(WebSocket.CreateFromStream(client.GetStream(), new WebSocketCreationOptions()), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_serving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var socket in _sockets)
            socket.Dispose();
        _stopping.Dispose();
    }
}
