using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Pressure;
using Weft.Node.Tests.Pods;
using Weft.Testing;

namespace Weft.Node.Tests.Pressure;

public sealed class PressureLoopTests
{
    private const long Mi = 1024 * 1024;

    private readonly Dictionary<Signal, Room> _rooms = new() { [Signal.Memory] = new(1000 * Mi, 500 * Mi), [Signal.NodeDisk] = new(1000 * Mi, 500 * Mi) };
    private readonly List<string> _done = [];
    private readonly ManualTime _time = new();
    private readonly PressureLoop _loop;

    public PressureLoopTests() => _loop = new PressureLoop(
        new PressureSources(
            () => _rooms,
            () => [World.Pod("""{"containers":[]}""")],
            (pod, withDisk) => new PodUse(pod, 100 * Mi, withDisk ? Mi : 0, 1),
            (uid, message) =>
            {
                _done.Add($"evict {uid}: {message.Split('.')[0]}");
                return true;
            },
            (pressure, _) =>
            {
                _done.Add($"report memory={pressure.Memory} disk={pressure.Disk}");
                return Task.CompletedTask;
            },
            _ =>
            {
                _done.Add("free images");
                return Task.FromResult(1L);
            }),
        _time, NullLogger<PressureLoop>.Instance);

    private async Task<string> LookAsync()
    {
        _done.Clear();
        await _loop.LookAsync(default);
        return string.Join(", ", _done);
    }

    [Fact]
    public async Task Short_memory_is_told_and_one_pod_goes_at_each_look()
    {
        Assert.Equal("", await LookAsync());
        _rooms[Signal.Memory] = new(1000 * Mi, 10 * Mi);

        Assert.Equal("evict u1: The node was low on resource: memory, report memory=True disk=False", await LookAsync());
        Assert.True(_loop.Current.Memory);
        Assert.Equal("evict u1: The node was low on resource: memory", await LookAsync());

        _rooms[Signal.Memory] = new(1000 * Mi, 500 * Mi);
        Assert.Equal("", await LookAsync());
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("report memory=False disk=False", await LookAsync());
    }

    [Fact]
    public async Task Images_go_before_a_pod_does_and_once_for_each_shortage()
    {
        _rooms[Signal.NodeDisk] = new(1000 * Mi, 10 * Mi);

        Assert.Equal("free images, evict u1: The node was low on resource: ephemeral-storage, report memory=False disk=True", await LookAsync());
        Assert.Equal("evict u1: The node was low on resource: ephemeral-storage", await LookAsync());
        _rooms[Signal.NodeDisk] = new(1000 * Mi, 500 * Mi);
        await LookAsync();
        _rooms[Signal.NodeDisk] = new(1000 * Mi, 10 * Mi);
        Assert.StartsWith("free images", await LookAsync(), StringComparison.Ordinal);
    }
}
