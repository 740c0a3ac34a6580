using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Proxy.Configuration;
using Weft.Testing;

namespace Weft.Proxy.Tests.Configuration;

/// <summary>The client of the configuration's stream, with a server that the test speaks for. Its clock stands still: the pause between two writes of the file never ends.</summary>
public sealed class ConfigClientTests : IAsyncLifetime
{
    private readonly TempDir _dir = new();
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<IDisposable> _opened = [];
    private ConfigFile _file = null!;
    private WireChannel _server = null!;
    private Task _running = null!;
    private ulong _version;

    public async ValueTask InitializeAsync()
    {
        _file = new ConfigFile(_dir.File("configuration"));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        var accepted = await listener.AcceptTcpClientAsync();
        var (mine, its) = (WebSocket.CreateFromStream(accepted.GetStream(), new() { IsServer = true }), WebSocket.CreateFromStream(client.GetStream(), new()));
        _opened.AddRange([mine, its, accepted, client]);
        _server = new WireChannel(mine, _time);
        _running = new ConfigClient(new ConfigState(_ => { }), _file, _ => Task.FromResult(its), _time, new Random(1), NullLogger.Instance).RunAsync(_stop.Token);
        Assert.IsType<Hello>(await _server.ReceiveAsync(default));
    }

    [Fact]
    public async Task What_says_who_may_do_what_is_on_disk_before_it_is_acknowledged()
    {
        // The first step is written at once, and the pause begins.
        await StepAsync([Workload("shop/web")], []);
        await Eventually.TrueAsync(() => _file.Load() is not null, "the first step is written");

        var policy = UnitCodec.Policy("shop/deny", new PolicyUnit { Authorization = new AuthorizationPolicyConfig { Name = "shop/deny" } });
        await StepAsync([policy], []);
        Assert.Contains(policy.Key, OnDisk().Keys);

        var bound = Workload("shop/web", "shop/deny");
        await StepAsync([bound], []);
        Assert.Equal(bound.Hash, OnDisk()[bound.Key].Hash);

        await StepAsync([], [policy.Key]);
        Assert.DoesNotContain(policy.Key, OnDisk().Keys);
    }

    [Fact]
    public async Task A_new_workload_waits_for_the_next_time_that_the_file_is_written()
    {
        await StepAsync([Workload("shop/web")], []);
        await Eventually.TrueAsync(() => _file.Load() is not null, "the first step is written");

        await StepAsync([Workload("shop/db")], []);
        Assert.Equal(["shop/web"], OnDisk().Keys.Select(key => key.Name));
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return OnDisk().Count == 2;
        });
    }

    private static ConfigUnit Workload(string name, params string[] policies) =>
        UnitCodec.Workload(name, new WorkloadUnit { Addresses = ["10.244.0.7"], Namespace = "shop", ServiceAccount = "default", Identity = "spiffe://cluster.local/ns/shop/sa/default", Node = "n1", Policies = [.. policies] });

    private Dictionary<UnitKey, ConfigUnit> OnDisk() => _file.Load()!.SelectMany(delta => delta.Upserts).ToDictionary(unit => unit.Key);

    private async Task StepAsync(IEnumerable<ConfigUnit> units, IEnumerable<UnitKey> removed)
    {
        await _server.SendAsync(new Delta(1, ++_version, [.. units], [.. removed], More: false), default);
        Assert.Equal(_version, Assert.IsType<Ack>(await _server.ReceiveAsync(default)).Version);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _opened.ForEach(opened => opened.Dispose());
        _stop.Dispose();
        _dir.Dispose();
    }
}
