using System.Collections.Concurrent;
using System.Globalization;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>
/// kill -9 of the server while many clients write and watch, 50 times; WEFT_LONG=1 makes it 1,000. In the first rounds the supervisor brings the server
/// back. In the others the test does, at once: the supervisor lets a server that dies young wait, which would be most of the test's time.
/// </summary>
[Collection(ClusterCollection.Name)]
public sealed class WriteCrashTests(WeftCluster cluster, ITestOutputHelper output)
{
    private const int Writers = 16;
    private const int Writes = 1000;
    private const int Watchers = 3;
    private const int Supervised = 3;
    private const int Seed = 7;

    private readonly ClusterProcesses _processes = new(cluster);
    private long _highest;

    [Fact]
    public async Task No_acknowledged_write_is_lost_and_every_watcher_sees_each_object_once_in_order()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var rounds = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 1000 : 50;
        var random = new Random(Seed);
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        var kept = new Dictionary<string, string>();
        for (var round = 0; round < Supervised; round++)
            kept = await RoundAsync(ns.Name, round, random, kept, KillAndWaitAsync, cancellation);

        // From down to up the test is the supervisor. The new one knows nothing of the young deaths, so that the tests that follow need not wait for its back-off.
        await using (var server = await BareServer.TakeOverAsync(cluster))
        {
            for (var round = Supervised; round < rounds; round++)
                kept = await RoundAsync(ns.Name, round, random, kept, server.KillAndStartAsync, cancellation);
        }

        using var again = _processes.Connect();
        var found = await ListAsync(again, ns.Name, cancellation);
        Assert.DoesNotContain(kept, write => found.GetValueOrDefault(write.Key) != write.Value);
    }

    private async Task KillAndWaitAsync()
    {
        var killed = _processes.Server;
        await ClusterProcesses.KillAsync(killed);
        await _processes.WholeAgainAsync(killed);
    }

    /// <summary>One death among a thousand writes. Gives what is there after it, for the rounds that follow to look at again.</summary>
    private async Task<Dictionary<string, string>> RoundAsync(
        string @namespace, int round, Random random, Dictionary<string, string> kept, Func<Task> killAsync, CancellationToken cancellation)
    {
        var prefix = $"r{round}-";
        using var client = _processes.Connect();
        using var watching = _processes.Connect();
        var watchers = Enumerable.Range(0, Watchers).Select(_ => new WatchLog(watching, @namespace, prefix)).ToList();
        foreach (var watcher in watchers)
            await watcher.StartAsync(cancellation);

        var acknowledged = new ConcurrentDictionary<string, string>();
        var wrongs = new ConcurrentQueue<string>();
        var names = new ConcurrentQueue<string>(Enumerable.Range(0, Writes).Select(number => $"{prefix}{number}"));
        var killAt = random.Next(Writes / 20, Writes * 9 / 10);
        var writers = Enumerable.Range(0, Writers).Select(_ => WriteAsync(client, @namespace, names, acknowledged, wrongs, cancellation)).ToList();
        await Eventually.TrueAsync(() => acknowledged.Count >= killAt || writers.Any(writer => writer.IsFaulted));
        var at = acknowledged.Count;
        await killAsync();
        await Eventually.EndsAsync(Task.WhenAll(writers));

        // Every name was retried until the server had it, so all are there: those acknowledged as they were acknowledged.
        var there = await ListAsync(client, @namespace, cancellation);
        var ofRound = there.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary();
        Assert.Equal(Writes, ofRound.Count);
        Assert.Empty(wrongs);
        Assert.DoesNotContain(acknowledged, write => ofRound.GetValueOrDefault(write.Key) != write.Value);
        Assert.DoesNotContain(kept, write => there.GetValueOrDefault(write.Key) != write.Value);
        foreach (var watcher in watchers)
        {
            await watcher.SeesAsync(Writes);
            Assert.Empty(watcher.Wrongs);
            Assert.DoesNotContain(ofRound, item => watcher.Shown.GetValueOrDefault(item.Key) != item.Value);
            Assert.Equal(Writes, watcher.Shown.Count);
            await watcher.DisposeAsync();
        }

        output.WriteLine($"round {round}: killed after {at} of {Writes}, {Writes - acknowledged.Count} not acknowledged but there, {watchers[0].Reconnects} reconnects, {watchers.Sum(watcher => watcher.Relists)} relists");

        // Those of the round before have now lived through two crashes: they make room.
        await Parallel.ForEachAsync(kept.Keys, cancellation, async (name, token) => await client.For<ConfigMap>().DeleteAsync(new ObjectKey(@namespace, name), token));
        return ofRound;
    }

    private async Task WriteAsync(
        KubeClient client, string @namespace, ConcurrentQueue<string> names, ConcurrentDictionary<string, string> acknowledged,
        ConcurrentQueue<string> wrongs, CancellationToken cancellationToken)
    {
        while (names.TryDequeue(out var name))
        {
            while (true)
            {
                var floor = Interlocked.Read(ref _highest);
                try
                {
                    var map = new ConfigMap { Metadata = new ObjectMeta { Name = name } };
                    var made = await client.For<ConfigMap>().CreateAsync(@namespace, map, cancellationToken);
                    acknowledged[name] = WatchLog.Life(made);
                    var revision = long.Parse(made.Metadata.ResourceVersion!, CultureInfo.InvariantCulture);
                    if (revision <= floor)
                        wrongs.Enqueue($"{name} was written at {revision}, after {floor} had been acknowledged");
                    Raise(revision);
                    break;
                }
                catch (ApiStatusException there) when (there.IsAlreadyExists)
                {
                    break; // a write before the crash whose answer was lost
                }
                catch (Exception away) when (ServerAway.Is(away))
                {
                    await ServerAway.PauseAsync(cancellationToken);
                }
            }
        }
    }

    private void Raise(long revision)
    {
        var seen = Interlocked.Read(ref _highest);
        while (seen < revision)
        {
            var now = Interlocked.CompareExchange(ref _highest, revision, seen);
            if (now == seen)
                return;
            seen = now;
        }
    }

    private static async Task<Dictionary<string, string>> ListAsync(KubeClient client, string @namespace, CancellationToken cancellationToken) =>
        (await client.For<ConfigMap>().ListAsync(@namespace, cancellationToken)).Items.ToDictionary(item => item.Metadata.Name!, WatchLog.Life);
}
