using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;
using Weft.Discovery.Process;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Control.Tests.Discovery;

/// <summary>Time, restarts and numbers.</summary>
public sealed class RegistryTests
{
    private const string Orders = """{"Name": "orders", "Port": 80, "Check": {"TTL": "30s", "DeregisterCriticalServiceAfter": "2m"}}""";

    [Fact]
    public async Task What_was_acknowledged_survives_a_kill_and_the_index_never_goes_back()
    {
        using var dir = new TempDir();
        using var http = new HttpClient();
        long highest = 0;
        using (var first = Start(dir, out var at))
        {
            for (var i = 0; i < 100; i++)
                await PutAsync(at, $"agent/service/register", $$$"""{"Name": "s{{{i % 10}}}", "ID": "i{{{i}}}", "Port": {{{i + 1}}}, "Check": {"TTL": "1h"}}""");
            await PutAsync(at, "agent/check/pass/service:i7", "");
            await PutAsync(at, "kv/a/b", "value");
            highest = await IndexAsync(at, "health/service/s7");
            first.Kill();
            await first.WaitForExitAsync();
        }

        using var second = Start(dir, out var again);
        Assert.Equal("value", await http.GetStringAsync(new Uri(again, "v1/kv/a/b?raw")));
        Assert.Equal(100, System.Text.Json.Nodes.JsonNode.Parse(await http.GetStringAsync(new Uri(again, "v1/agent/services")))!.AsObject().Count);
        Assert.True(await IndexAsync(again, "health/service/s7") > highest);
        // A client that waited at the old index gets its answer at once: nothing tells it that there was a restart.
        await Eventually.EndsAsync(http.GetStringAsync(new Uri(again, $"v1/health/service/s7?index={highest}&wait=10m")));
        second.Kill();
        await second.WaitForExitAsync();

        async Task PutAsync(Uri to, string path, string body) => (await http.PutAsync(new Uri(to, "v1/" + path), new StringContent(body))).EnsureSuccessStatusCode();

        async Task<long> IndexAsync(Uri of, string path) => long.Parse((await http.GetAsync(new Uri(of, "v1/" + path))).Headers.GetValues("X-Consul-Index").First(), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task One_that_could_not_be_opened_leaves_nothing_that_runs()
    {
        var time = new ManualTime();
        await Assert.ThrowsAsync<RegistryStoreException>(() => ServiceRegistry.OpenAsync(
            new FullStore(), new RegistryOptions { NodeName = "node-1", NodeAddress = "10.0.0.1" }, time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, TestContext.Current.CancellationToken));
        Assert.Equal(0, time.PendingTimers);
    }

    [Fact]
    public async Task A_ttl_that_is_not_renewed_is_critical_and_then_its_instance_goes()
    {
        var time = new ManualTime();
        await using var host = await RegistryHost.StartAsync(time);
        await host.PutAsync("agent/service/register", Orders);
        await host.PutAsync("agent/check/pass/service:orders");
        await AdvanceAsync(time, 29);
        Assert.Equal(1, await host.PassingAsync("orders"));
        await host.PutAsync("agent/check/pass/service:orders");
        await AdvanceAsync(time, 29);
        Assert.Equal(1, await host.PassingAsync("orders"));
        await Eventually.TrueAsync(async () =>
        {
            await AdvanceAsync(time, 1);
            return await host.PassingAsync("orders") == 0;
        });
        Assert.Single((await host.GetAsync("health/service/orders")).AsArray());
        await Eventually.TrueAsync(async () =>
        {
            await AdvanceAsync(time, 5);
            return (await host.GetAsync("health/service/orders")).AsArray().Count == 0;
        });
    }

    [Fact]
    public async Task After_a_start_a_status_holds_as_long_as_it_would_have_held()
    {
        var time = new ManualTime();
        var store = new MemoryStore(TimeProvider.System);
        await using (var process = await RegistryProcess.StartAsync(store, time, Seeded.Random(1), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))
        {
            using var http = new HttpClient { BaseAddress = process.Address };
            (await http.PutAsync("v1/agent/service/register", new StringContent(Orders))).EnsureSuccessStatusCode();
            (await http.PutAsync("v1/agent/check/pass/service:orders", null)).EnsureSuccessStatusCode();
            await Eventually.TrueAsync(async () =>
            {
                time.Advance(TimeSpan.FromSeconds(10)); // it says that it lives
                (await http.PutAsync("v1/agent/check/pass/service:orders", null)).EnsureSuccessStatusCode();
                return await AliveAsync() > ManualTime.Start;
            });
        }

        time.Advance(TimeSpan.FromSeconds(5));
        await using (var soon = await RegistryProcess.StartAsync(store, time, Seeded.Random(1), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))
            Assert.Equal(CheckStatus.Passing, soon.Registry.Current.FindCheck(new("node-1", "service:orders"))!.Status);
        time.Advance(TimeSpan.FromHours(1));
        await using (var late = await RegistryProcess.StartAsync(store, time, Seeded.Random(1), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))
            Assert.Equal(CheckStatus.Critical, late.Registry.Current.FindCheck(new("node-1", "service:orders"))!.Status);
        await store.DisposeAsync();

        async Task<DateTimeOffset> AliveAsync() => store.Get("/discovery/meta") is { } entry
            ? (DateTimeOffset)System.Text.Json.Nodes.JsonNode.Parse((await Task.FromResult(entry)).Value.Span)!["AliveAt"]! : default;
    }

    [Fact]
    public async Task Registering_again_changes_nothing_and_writes_nothing()
    {
        await using var host = await RegistryHost.StartAsync();
        await host.PutAsync("agent/service/register", Orders);
        await host.PutAsync("agent/check/pass/service:orders");
        var (revision, index) = (host.Store.Revision, host.Registry.Current.Index);
        for (var i = 0; i < 10; i++)
        {
            await host.PutAsync("agent/service/register", Orders);
            await host.PutAsync("agent/check/pass/service:orders");
        }

        Assert.Equal((revision, index), (host.Store.Revision, host.Registry.Current.Index));
        Assert.Equal(1, await host.PassingAsync("orders"));
    }

    [Fact]
    public async Task Http_and_tcp_checks_are_made_at_once()
    {
        await using var host = await RegistryHost.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        // The registry's own API is an HTTP server as good as any.
        await host.PutAsync("agent/service/register", $$"""{"Name": "web", "Checks": [{"HTTP": "{{host.Process.Address}}v1/status/leader", "Interval": "10s"}, {"TCP": "127.0.0.1:{{port}}", "Interval": "10s"}]}""");
        await Eventually.TrueAsync(async () => await host.PassingAsync("web") == 1);
        listener.Stop();
        await host.PutAsync("agent/service/register", $$$"""{"Name": "down", "Check": {"HTTP": "{{{host.Process.Address}}}v1/nothing", "Interval": "1s"}}""");
        await Eventually.TrueAsync(async () => ((string?)(await host.GetAsync("agent/checks"))["service:down"]!["Output"])!.Contains("404", StringComparison.Ordinal));
        await Eventually.TrueAsync(async () => await host.PassingAsync("web") == 0);
    }

    [Fact]
    public async Task Ten_thousand_registrations_and_many_watchers_of_one_name()
    {
        await using var host = await RegistryHost.StartAsync();
        var (_, _, index) = await host.AskAsync("GET", "health/service/w");
        var watchers = Enumerable.Range(0, 200).Select(_ => host.AskAsync("GET", $"health/service/w?index={index}&wait=5m")).ToList();
        await Eventually.TrueAsync(() => host.Registry.Waiting == 200);
        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
            await host.PutAsync("agent/service/register", $$"""{"Name": "s{{i % 100}}", "ID": "i{{i}}", "Port": {{i + 1}}}"""));
        Assert.Equal(100, (await host.GetAsync("health/service/s7?passing")).AsArray().Count);
        Assert.Equal(10_000, host.Registry.Current.Instances.Count);
        // None of that was about their name.
        Assert.Equal(200, host.Registry.Waiting);
        await host.PutAsync("agent/service/register", """{"Name": "w"}""");
        await Eventually.EndsAsync(Task.WhenAll(watchers));
        Assert.Equal(0, host.Registry.Waiting);
    }

    [Fact]
    public async Task Who_waits_too_often_is_refused_and_who_leaves_is_forgotten()
    {
        await using var host = await RegistryHost.StartAsync();
        using var leaving = new CancellationTokenSource();
        var (_, _, index) = await host.AskAsync("GET", "health/service/w");
        const int Most = Control.Discovery.Http.BlockingQueries.MaxWaitingOfOne;
        var waiting = Enumerable.Range(0, Most).Select(_ => host.Http.GetAsync($"health/service/w?index={index}&wait=5m", leaving.Token)).ToList();
        await Eventually.TrueAsync(() => host.Registry.Waiting == Most);
        Assert.Equal(429, (await host.AskAsync("GET", $"health/service/w?index={index}&wait=5m")).Status);
        Assert.Equal(200, (await host.AskAsync("GET", "health/service/w")).Status);
        await leaving.CancelAsync();
        await Task.WhenAll(waiting).ContinueWith(_ => { }, TaskScheduler.Default);
        await Eventually.TrueAsync(() => host.Registry.Waiting == 0);
    }

    private static async Task AdvanceAsync(ManualTime time, int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private static Process Start(TempDir dir, out Uri address)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Weft.Discovery.Process.dll"), dir.File("weft.db")]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var line = process.StandardOutput.ReadLine() ?? "";
        Assert.StartsWith("port ", line, StringComparison.Ordinal);
        address = new($"http://127.0.0.1:{line[5..]}/");
        return process;
    }

    private sealed class FullStore : IRegistryStore
    {
        public int MaxWrites => 100;

        public Task<IReadOnlyList<KeptRecord>> LoadAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<KeptRecord>>([]);

        public Task WriteAsync(IReadOnlyCollection<KeyValuePair<string, byte[]?>> writes, CancellationToken cancellationToken) => Task.FromException(new RegistryStoreException("the disk is full"));
    }
}
