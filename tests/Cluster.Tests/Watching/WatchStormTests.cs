using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Client;
using Weft.Cluster.Tests.Crash;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Watching;

/// <summary>
/// A thousand watchers on one connection (as client-go makes them) that each want every one of the writes of 32 clients, which write as fast as they can:
/// millions of frames a second would be due, which nobody can deliver. WEFT_LONG=1 makes the 5,000 writes 50,000.
/// </summary>
[Collection(MeasuredClusterCollection.Name)]
public sealed class WatchStormTests(WeftCluster cluster, ITestOutputHelper output)
{
    private const int Watchers = 1000;
    private const int Writers = 32;
    private const int Objects = 100;

    // A buffer for each watcher would be 6 GB in the short form. What the server may hold: two buffers of 16 MiB that all share, and for each watcher what
    // it has written and nobody has taken (80 KiB) and what it has taken from the buffer (64 KiB); the rest is the collector's.
    private const long MostGrowth = 256L << 20;

    private readonly ClusterProcesses _processes = new(cluster);

    [Fact]
    public async Task Every_watcher_sees_each_event_once_and_in_order_or_410_and_others_are_served()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var writes = Environment.GetEnvironmentVariable("WEFT_LONG") == "1" ? 50_000 : 5_000;
        await using var ns = await TestNamespace.CreateAsync(cluster, WeftCluster.Kubectls[0]);
        var maps = $"api/v1/namespaces/{ns.Name}/configmaps";
        using var writing = Connect();
        using var watching = Connect();
        using var asking = Connect();
        var filler = new string('x', 700);
        await Parallel.ForAsync(0, Objects, cancellation, async (i, token) =>
            await WriteAsync(writing, HttpMethod.Post, maps, $$$"""{"metadata":{"name":"w-{{{i}}}"},"data":{"filler":"{{{filler}}}"}}""", "application/json", token));
        var from = long.Parse((string)JsonNode.Parse(await asking.GetStringAsync($"{maps}?limit=1", cancellation))!["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);

        var final = long.MaxValue;
        var watchers = new List<StormWatcher>();
        var reading = new List<Task>();
        for (var i = 0; i < Watchers; i++)
        {
            var response = await watching.GetAsync($"{maps}?watch=1&resourceVersion={from}", HttpCompletionOption.ResponseHeadersRead, cancellation);
            watchers.Add(new StormWatcher(response.EnsureSuccessStatusCode(), from));
            reading.Add(watchers[i].ReadAsync(() => Volatile.Read(ref final), cancellation));
        }

        var before = ResidentBytes();
        var most = before;
        var revisions = new ConcurrentQueue<long>();
        var all = Parallel.ForAsync(0, writes, new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = cancellation }, async (i, token) =>
            revisions.Enqueue(await WriteAsync(writing, HttpMethod.Patch, $"{maps}/w-{i % Objects}", $$$"""{"data":{"turn":"{{{i}}}"}}""", "application/merge-patch+json", token)));
        var gets = 0;
        for (; !all.IsCompleted; gets++)
        {
            // Each must be answered within the deadline of the client, whatever the watchers cost.
            await asking.GetStringAsync($"{maps}/w-0", cancellation);
            most = Math.Max(most, ResidentBytes());
        }

        await all; // each of them was acknowledged: a watcher that cannot follow does not stop a writer
        var written = revisions.Order().ToList();
        await EndAsync(writing, maps, written, revision => Volatile.Write(ref final, revision), cancellation);

        // A slow machine may take its time as long as there is something new to see.
        while (reading.Any(task => !task.IsCompleted))
        {
            var delivered = watchers.Sum(watcher => watcher.Count);
            var left = reading.Count(task => !task.IsCompleted);
            await Eventually.TrueAsync(() => watchers.Sum(watcher => watcher.Count) > delivered || reading.Count(task => !task.IsCompleted) < left,
                "watchers go on or end", () => $"{left} watchers wait after {delivered} events");
            most = Math.Max(most, ResidentBytes());
        }

        await Task.WhenAll(reading);
        output.WriteLine($"{writes} writes, {gets} gets beside; {watchers.Sum(watcher => watcher.Count)} events seen, {watchers.Count(watcher => watcher.IsExpired)} of {Watchers} ended with 410; server {before >> 20} MB before, at most {most >> 20} MB");
        Assert.Empty(watchers.Select(watcher => watcher.Wrong).OfType<string>());
        // In rising order, and as many as there are up to the last one: those, each once.
        Assert.All(watchers, watcher => Assert.Equal(written.Count(revision => revision <= watcher.Last), watcher.Count));
        Assert.All(watchers, watcher => Assert.True(watcher.IsExpired || watcher.Last >= final));
        Assert.InRange(most - before, long.MinValue, MostGrowth);
    }

    // Who is through with everything waits for more: this is the one after which it may stop.
    private static async Task EndAsync(HttpClient http, string maps, List<long> written, Action<long> announce, CancellationToken cancellationToken)
    {
        var revision = await WriteAsync(http, HttpMethod.Patch, $"{maps}/w-0", """{"data":{"turn":"last"}}""", "application/merge-patch+json", cancellationToken);
        written.Add(revision);
        announce(revision);
        // Those that had it before it was announced need one more word to look again.
        written.Add(await WriteAsync(http, HttpMethod.Patch, $"{maps}/w-0", """{"data":{"turn":"over"}}""", "application/merge-patch+json", cancellationToken));
    }

    private static async Task<long> WriteAsync(HttpClient http, HttpMethod method, string path, string body, string type, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, Content = new StringContent(body, Encoding.UTF8, type) };
        using var answer = await http.SendAsync(message, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return long.Parse((string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellationToken))!["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
    }

    private HttpClient Connect()
    {
        var client = _processes.Access.CreateHttpClient();
        client.DefaultRequestVersion = HttpVersion.Version20;
        client.Timeout = Eventually.Deadline;
        return client;
    }

    private long ResidentBytes() =>
        long.Parse(File.ReadAllText($"/proc/{_processes.Server.Pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
