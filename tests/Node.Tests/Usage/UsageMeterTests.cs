using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Runtime;
using Weft.Node.Usage;
using Weft.Testing;

namespace Weft.Node.Tests.Usage;

public sealed class UsageMeterTests
{
    private readonly ManualTime _time = new();

    private static ContainerInfo Container(string id, RunState state = RunState.Running) => new()
    {
        Id = id, SandboxId = "process://s", PodUid = "p", Name = "main", Attempt = 0, SpecHash = "", LogPath = "", State = state, CreatedAt = ManualTime.Start,
    };

    [Fact]
    public async Task Containers_of_either_runtime_are_found_by_their_cgroups_and_measured_at_the_second_look()
    {
        using var tree = new TempDir();
        ContainerInfo[] containers = [Container("process://c1") with { PodUid = "p1" }, Container("containerd://c2") with { PodUid = "p2" }, Container("process://gone"), Container("process://c3", RunState.Exited)];
        var meter = new UsageMeter("/weft-t", new CgroupFigures(tree.Path), _ => Task.FromResult<IReadOnlyList<ContainerInfo>>(containers), _time, NullLogger<UsageMeter>.Instance);
        Spend(1_000_000);
        await meter.LookAsync(CancellationToken.None);
        Assert.Empty(meter.Current.Pods);

        _time.Advance(TimeSpan.FromSeconds(10));
        Spend(3_500_000);
        await meter.LookAsync(CancellationToken.None);
        Assert.Equal([("p1", 250_000_000L, 4096L), ("p2", 250_000_000L, 4096L)], meter.Current.Pods.OrderBy(pod => pod.Uid).Select(pod => (pod.Uid, pod.Containers[0].Usage.NanoCores, pod.Containers[0].Usage.MemoryBytes)));
        Assert.NotNull(meter.Current.Node);

        // A look right after says nothing new: what is known stays.
        var known = meter.Current;
        await meter.LookAsync(CancellationToken.None);
        Assert.Same(known, meter.Current);

        void Spend(long microseconds)
        {
            foreach (var cgroup in (string[])["weft-t/podp1/c1", "weft-t/podp2/c2", "weft-t/podp/c3"])
            {
                Directory.CreateDirectory(Path.Combine(tree.Path, cgroup));
                File.WriteAllText(Path.Combine(tree.Path, cgroup, "cpu.stat"), $"usage_usec {microseconds}\n");
                File.WriteAllText(Path.Combine(tree.Path, cgroup, "memory.current"), "4096\n");
            }
        }
    }
}
