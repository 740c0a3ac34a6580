using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Api.Schemas;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>The start of a server whose store takes no writes: what is there is served, and what is to be written waits.</summary>
public sealed class FullDiskStartTests : IAsyncLifetime
{
    private const string Lanterns = "/apis/light.example.com/v1/namespaces/default/lanterns";
    private const string Path = Definitions + "/lanterns.light.example.com";
    private const string Classes = "/apis/scheduling.k8s.io/v1/priorityclasses";

    private static readonly PreinstalledKind Kind = PreinstalledKind.Of<Lantern>();
    private static readonly PreinstalledKind Later = Kind with { Kind = Kind.Kind with { Plural = "lamps", Kind = new("light.example.com", "v1", "Lamp"), ShortNames = [] } };

    private readonly StoreDisk _disk = new();
    private readonly LogLines _log = new();
    private readonly IStore _store;

    public FullDiskStartTests() => _store = new MemoryStore(TimeProvider.System, new StoreOptions { FailPoints = _disk });

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private static JsonObject Manifest(PreinstalledKind kind) => CrdManifest.Of(kind, new SchemaReader());

    private static JsonObject Before()
    {
        var crd = Manifest(Kind);
        (crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"] as JsonObject)!.Remove("maker");
        return crd;
    }

    private async Task RunAsync(IReadOnlyList<PreinstalledDefinition> definitions, string address, Func<TestServer, Task> act)
    {
        var server = await CustomServer.StartAsync(
            _store, parts => parts with { Preinstalled = definitions }, options => options with { Loggers = _log, AdvertiseAddress = IPAddress.Parse(address) });
        await act(server);
        await server.Host.DisposeAsync();
    }

    [Fact]
    public async Task Definitions_stay_and_are_served_as_they_are_until_a_start_with_room()
    {
        PreinstalledDefinition[] old = [new(Kind, Before) { Edition = "1" }];
        PreinstalledDefinition[] newer = [new(Kind, () => Manifest(Kind)) { Edition = "2" }, new(Later, () => Manifest(Later)) { Edition = "2" }];
        await RunAsync(old, "10.0.0.1", async server => (await server.PostAsync(Lanterns, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201));
        var before = _store.Revision;

        _disk.Fill();
        await RunAsync(newer, "10.0.0.1", async server =>
        {
            Assert.Equal(before, _store.Revision);
            (await server.GetAsync(Lanterns + "/a")).Expect(200);
            Assert.Equal("1", (await server.GetAsync(Path)).Body["metadata"]!["annotations"]![PreinstalledPlan.Edition]!.GetValue<string>());
            var refused = (await server.PostAsync(Lanterns, """{"metadata":{"name":"b"}}""")).Expect(500);
            Assert.Contains("cannot take writes", refused.Message, StringComparison.Ordinal);
            Assert.Equal(StatusCause.StoreReadOnly, refused.Body["details"]!["causes"]![0]!["reason"]!.GetValue<string>());
            _disk.MakeRoom();
            (await server.DeleteAsync(Lanterns + "/a")).Expect(200);
        });
        Assert.Contains(_log.Lines, line => line.StartsWith($"Warning: Definition lanterns.light.example.com stays as another edition of this program made it: {StoreDisk.Problem}", StringComparison.Ordinal));
        Assert.Contains(_log.Lines, line => line.StartsWith($"Warning: There is no definition lamps.light.example.com until a later start: {StoreDisk.Problem}", StringComparison.Ordinal));
        // Nobody waits for a kind that cannot come.
        Assert.DoesNotContain(_log.Lines, line => line.Contains("not served", StringComparison.Ordinal));

        await RunAsync(newer, "10.0.0.1", async server =>
        {
            Assert.Equal("2", (await server.GetAsync(Path)).Body["metadata"]!["annotations"]![PreinstalledPlan.Edition]!.GetValue<string>());
            (await server.GetAsync(Lanterns.Replace("lanterns", "lamps", StringComparison.Ordinal))).Expect(200);
        });
    }

    [Fact]
    public async Task The_servers_own_objects_are_made_and_changed_by_a_start_with_room()
    {
        const string Endpoints = "/api/v1/namespaces/default/endpoints/kubernetes";
        await RunAsync([], "10.0.0.1", async server => (await server.DeleteAsync(Classes + "/system-node-critical")).Expect(200));

        _disk.Fill();
        await RunAsync([], "10.0.0.2", async server =>
        {
            (await server.GetAsync(Classes + "/system-node-critical")).Expect(404);
            Assert.Equal("10.0.0.1", (await server.GetAsync(Endpoints)).Body["subsets"]![0]!["addresses"]![0]!["ip"]!.GetValue<string>());
        });
        foreach (var what in (string[])["PriorityClass system-node-critical", "Endpoints kubernetes", "EndpointSlice kubernetes"])
            Assert.Contains(_log.Lines, line => line.StartsWith($"Warning: The server's own {what} stays as it was, or missing, until a later start: {StoreDisk.Problem}", StringComparison.Ordinal));

        _disk.MakeRoom();
        await RunAsync([], "10.0.0.2", async server =>
        {
            (await server.GetAsync(Classes + "/system-node-critical")).Expect(200);
            Assert.Equal("10.0.0.2", (await server.GetAsync(Endpoints)).Body["subsets"]![0]!["addresses"]![0]!["ip"]!.GetValue<string>());
        });
    }

    [Fact]
    public async Task A_new_cluster_says_why_it_cannot_start()
    {
        _disk.Fill();
        Assert.StartsWith(StoreDisk.Problem, (await Assert.ThrowsAsync<StoreReadOnlyException>(() => RunAsync([], "10.0.0.1", _ => Task.CompletedTask))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_definition_that_is_being_deleted_goes_when_there_is_room()
    {
        var time = new ManualTime();
        using var stop = new CancellationTokenSource();
        const string Key = "/registry/apiextensions.k8s.io/customresourcedefinitions/lanterns.light.example.com";
        var tree = Manifest(Kind);
        Metadata.Of(tree)["finalizers"] = new JsonArray("customresourcecleanup.apiextensions.k8s.io");
        Plan();
        Metadata.Of(tree)["deletionTimestamp"] = "2026-01-02T03:04:05Z";
        Plan();
        await _store.CommitAsync(new[] { Op.Put(Key, Envelope.Write(tree, "v1", 0), Expect.Absent) });

        _disk.Fill();
        var running = new CrdEstablisher(_store, [], time, _log.CreateLogger<CrdEstablisher>()).RunAsync(stop.Token);
        await Eventually.TrueAsync(() => time.PendingTimers == 1);
        Assert.NotNull(_store.Get(Key));
        _disk.MakeRoom();
        time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => _store.Get(Key) is null);
        await stop.CancelAsync();
        await running;

        // All that the establisher would write before it cleans up.
        void Plan()
        {
            while (CrdConditions.Plan(tree, [], _ => [], time.GetUtcNow()) is { } next)
                tree = next;
        }
    }

    [Fact]
    public async Task A_definition_that_waits_for_its_conditions_gets_them_when_there_is_room()
    {
        var time = new ManualTime();
        using var stop = new CancellationTokenSource();
        const string Key = "/registry/apiextensions.k8s.io/customresourcedefinitions/lanterns.light.example.com";
        await _store.CommitAsync(new[] { Op.Put(Key, Envelope.Write(Manifest(Kind), "v1", 0), Expect.Absent) });

        _disk.Fill();
        var running = new CrdEstablisher(_store, [], time, _log.CreateLogger<CrdEstablisher>()).RunAsync(stop.Token);
        await Eventually.TrueAsync(() => time.PendingTimers == 1);
        Assert.False(running.IsCompleted);
        _disk.MakeRoom();
        time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => CrdConditions.IsEstablished(Envelope.Read(_store.Get(Key)!.Value).Parse(0)));
        await stop.CancelAsync();
        await running;
    }
}
