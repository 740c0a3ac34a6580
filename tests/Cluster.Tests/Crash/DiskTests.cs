using Weft.Api;
using Weft.Api.Core;
using Weft.Cli.Clusters;
using Weft.Cli.Processes;
using Weft.Client;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>A disk that takes no more, and one that refuses, below a whole cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class DiskTests(WeftCluster cluster)
{
    private static readonly string Filler = new('x', 50_000);

    [Fact]
    public async Task A_full_disk_is_named_reads_go_on_and_writes_come_back_with_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, for a small file system of its own");
        var cancellation = TestContext.Current.CancellationToken;
        var place = Path.Combine(Path.GetTempPath(), $"weft-disk-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
        using var disk = await SmallDisk.MountAsync(place, "48m"); // ends after the cluster on it
        await using var spare = new SpareCluster(cluster, place) { Before = disk.Enter };
        await spare.UpAsync();
        var server = ServerState.Load(spare.Paths.ServerFile)!.Process;
        using var client = spare.Connect();
        var maps = client.For<ConfigMap>();
        var acknowledged = new Dictionary<string, string>();

        await WriteAsync(10);
        disk.Fill();
        var full = await Assert.ThrowsAsync<ApiStatusException>(() => WriteAsync(1000));

        Assert.Equal(500, full.Code);
        Assert.Contains("the disk of the store is full", full.Message, StringComparison.Ordinal);
        Assert.Contains("make room", full.Message, StringComparison.Ordinal);
        Assert.Equal(acknowledged, await ReadAsync());
        // A conflict is told as before, and a second refusal is as clear as the first.
        var there = await Assert.ThrowsAsync<ApiStatusException>(() => CreateAsync("w0"));
        Assert.True(there.IsAlreadyExists, there.Message);
        Assert.Contains("the disk of the store is full", (await Assert.ThrowsAsync<ApiStatusException>(() => WriteAsync(1000))).Message, StringComparison.Ordinal);
        using (var ready = await client.OpenAsync("/livez", cancellation))
            Assert.True(ready.IsSuccessStatusCode);

        disk.MakeRoom();
        await WriteAsync(10);
        Assert.Equal(acknowledged, await ReadAsync());
        Assert.Equal(server, ServerState.Load(spare.Paths.ServerFile)!.Process);

        // And it is on the disk, not only in memory.
        await ClusterProcesses.KillAsync(server);
        await Eventually.TrueAsync(() => ServerState.Load(spare.Paths.ServerFile) is { Phase: ServerPhase.Ready, Process.IsAlive: true } state && state.Process != server);
        Assert.Equal(acknowledged, await ReadAsync());

        Task<ConfigMap> CreateAsync(string name) =>
            maps.CreateAsync("default", new ConfigMap { Metadata = new ObjectMeta { Name = name }, Data = new Dictionary<string, string> { ["filler"] = Filler } }, cancellation);

        async Task WriteAsync(int count)
        {
            for (var i = 0; i < count; i++)
                acknowledged[$"w{acknowledged.Count}"] = WatchLog.Life(await CreateAsync($"w{acknowledged.Count}"));
        }

        async Task<Dictionary<string, string>> ReadAsync() => (await maps.ListAsync("default", cancellation)).Items
            .Where(item => item.Metadata.Name!.StartsWith('w')).ToDictionary(item => item.Metadata.Name!, WatchLog.Life);
    }

    [Fact]
    public async Task A_server_that_dies_on_a_full_disk_serves_again_and_its_node_follows_when_there_is_room()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, for a small file system of its own");
        var cancellation = TestContext.Current.CancellationToken;
        var place = Path.Combine(Path.GetTempPath(), $"weft-disk-{Environment.ProcessId}-{Path.GetRandomFileName()[..6]}");
        using var disk = await SmallDisk.MountAsync(place, "48m"); // ends after the cluster on it
        await using var spare = new SpareCluster(cluster, place) { Before = disk.Enter };
        await spare.UpAsync();
        var server = ServerState.Load(spare.Paths.ServerFile)!.Process;
        using var client = spare.Connect();
        var maps = client.For<ConfigMap>();
        await CreateAsync("kept");
        disk.Fill();
        var count = 0;
        await Assert.ThrowsAsync<ApiStatusException>(async () =>
        {
            while (count < 1000)
                await CreateAsync($"w{count++}");
        });

        await ClusterProcesses.KillAsync(server);
        // One process from then on, and not one after the other that gives up.
        await Eventually.TrueAsync(() => ServerState.Load(spare.Paths.ServerFile) is { Phase: ServerPhase.Api, Process.IsAlive: true } state && state.Process != server);
        var next = ServerState.Load(spare.Paths.ServerFile)!.Process;
        Assert.Equal(Filler, (await maps.GetAsync(new("default", "kept"), cancellation)).Data["filler"]);
        Assert.Contains("the disk of the store is full", (await Assert.ThrowsAsync<ApiStatusException>(() => CreateAsync("more"))).Message, StringComparison.Ordinal);

        disk.MakeRoom();
        await Eventually.TrueAsync(() => ServerState.Load(spare.Paths.ServerFile) is { Phase: ServerPhase.Ready });
        Assert.Equal(next, ServerState.Load(spare.Paths.ServerFile)!.Process);
        await CreateAsync("more");

        Task<ConfigMap> CreateAsync(string name) =>
            maps.CreateAsync("default", new ConfigMap { Metadata = new ObjectMeta { Name = name }, Data = new Dictionary<string, string> { ["filler"] = Filler } }, cancellation);
    }

    [Fact]
    public async Task A_write_that_the_kernel_refuses_ends_the_server_and_the_next_one_has_all_that_was_acknowledged()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to limit another process");
        var cancellation = TestContext.Current.CancellationToken;
        // The processes take no notice of SIGXFSZ, so that a write beyond the limit fails (EFBIG) as one on a broken disk does (EIO): its outcome is unknown.
        await using var spare = new SpareCluster(cluster) { Before = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"] };
        await spare.UpAsync();
        var server = ServerState.Load(spare.Paths.ServerFile)!.Process;
        using var client = spare.Connect();
        var acknowledged = new Dictionary<string, string>();

        // Of the running server alone: the one that comes after it has no such disk. The log of the cluster stays below the limit.
        (await Shell.RunAsync("prlimit", ["--pid", $"{server.Pid}", "--fsize=4000000"])).Succeeded();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                var name = $"w{acknowledged.Count}";
                acknowledged[name] = WatchLog.Life(await client.For<ConfigMap>().CreateAsync("default",
                    new ConfigMap { Metadata = new ObjectMeta { Name = name }, Data = new Dictionary<string, string> { ["filler"] = Filler } }, cancellation));
            }
            catch (ApiStatusException refused) when (refused.IsAlreadyExists)
            {
                return true; // on the disk, although its answer was an error: the next server has it
            }
            catch (Exception refused) when (ServerAway.Is(refused))
            {
                // the outcome of this one is unknown
            }

            return !server.IsAlive;
        }, "the server ends");

        await Eventually.TrueAsync(() => ServerState.Load(spare.Paths.ServerFile) is { Phase: ServerPhase.Ready, Process.IsAlive: true } state && state.Process != server);
        Assert.Contains("the store cannot tell whether a write is durable; ending", await File.ReadAllTextAsync(spare.Paths.Log, cancellation), StringComparison.Ordinal);
        var there = (await client.For<ConfigMap>().ListAsync("default", cancellation)).Items.ToDictionary(item => item.Metadata.Name!, WatchLog.Life);
        Assert.True(acknowledged.Count > 10);
        Assert.DoesNotContain(acknowledged, write => there.GetValueOrDefault(write.Key) != write.Value);
        var next = await client.For<ConfigMap>().CreateAsync("default", new ConfigMap { Metadata = new ObjectMeta { Name = "after" } }, cancellation);
        Assert.True(Revision(next) > there.Values.Max(life => long.Parse(life.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static long Revision(ConfigMap map) => long.Parse(map.Metadata.ResourceVersion!, System.Globalization.CultureInfo.InvariantCulture);
}
