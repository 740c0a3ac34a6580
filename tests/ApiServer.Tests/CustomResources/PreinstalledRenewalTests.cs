using System.Text.Json.Nodes;
using Weft.Api.ApiExtensions;
using Weft.Api.Schemas;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>What a start does about definitions of the program's own kinds: makes them, renews those of another edition, and leaves alone what somebody has changed.</summary>
public sealed class PreinstalledRenewalTests
{
    private const string Lanterns = "/apis/light.example.com/v1/namespaces/default/lanterns";
    private const string Path = Definitions + "/lanterns.light.example.com";

    private static readonly PreinstalledKind Kind = PreinstalledKind.Of<Lantern>() with { OlderVersions = ["v1beta1"] };

    private static JsonObject Manifest() => CrdManifest.Of(Kind, new SchemaReader());

    // As another edition had it: without a member, with a short name less, and stored in the other version.
    private static JsonObject Before()
    {
        var crd = Manifest();
        (crd["spec"]!["names"] as JsonObject)!.Remove("shortNames");
        foreach (var version in crd["spec"]!["versions"]!.AsArray())
        {
            version!["storage"] = version["name"]!.GetValue<string>() == "v1beta1";
            (version["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"] as JsonObject)!.Remove("maker");
        }
        return crd;
    }

    private static Task<TestServer> StartAsync(IStore store, string edition, Func<JsonObject> manifest) =>
        CustomServer.StartAsync(store, parts => parts with { Preinstalled = [new(Kind, manifest) { Edition = edition }] });

    private static async Task<JsonObject> RunAsync(IStore store, string edition, Func<JsonObject> manifest, Func<TestServer, Task>? act = null)
    {
        var server = await StartAsync(store, edition, manifest);
        if (act is not null)
            await act(server);
        var definition = (await server.GetAsync(Path)).Expect(200).Body;
        await server.Host.DisposeAsync();
        return definition;
    }

    private static string Spec(JsonObject definition) => definition["spec"]!.ToJsonString();

    private static string Text(JsonNode? node) => node!.ToJsonString();

    [Fact]
    public async Task A_definition_comes_as_the_ordinary_way_would_have_made_it()
    {
        await using var own = await CustomServer.StartAsync(parts: parts => parts with { Preinstalled = [new(Kind, Manifest)] });
        await using var other = await CustomServer.StartAsync();
        (await other.PostAsync(Definitions, Manifest().ToJsonString())).Expect(201);
        await Eventually.TrueAsync(async () => CrdConditions.IsEstablished((await other.GetAsync(Path)).Body));

        var (made, posted) = ((await own.GetAsync(Path)).Body, (await other.GetAsync(Path)).Body);
        foreach (var definition in (JsonObject[])[made, posted])
        {
            foreach (var name in (string[])["uid", "resourceVersion", "creationTimestamp", "managedFields", "annotations"])
                (definition["metadata"] as JsonObject)!.Remove(name);
            foreach (var condition in definition["status"]!["conditions"]!.AsArray())
                (condition as JsonObject)!.Remove("lastTransitionTime");
        }
        Assert.True(JsonNode.DeepEquals(posted, made), $"{posted.ToJsonString()}\n{made.ToJsonString()}");
    }

    [Fact]
    public async Task All_definitions_are_one_write()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        PreinstalledKind other = PreinstalledKind.Of<Lantern>() with { Kind = Kind.Kind with { Plural = "lamps", Kind = new("light.example.com", "v1", "Lamp"), ShortNames = [] } };
        await using var server = await CustomServer.StartAsync(store, parts => parts with { Preinstalled = [new(Kind, Manifest), new(other, () => CrdManifest.Of(other, new SchemaReader()))] });
        (await server.GetAsync(Lanterns)).Expect(200);
        (await server.GetAsync(Lanterns.Replace("lanterns", "lamps", StringComparison.Ordinal))).Expect(200);
        var entries = (await store.ListAsync("/registry/apiextensions.k8s.io/customresourcedefinitions/")).Entries;
        Assert.Equal(2, entries.Count);
        Assert.Single(entries.Select(entry => (entry.CreateRevision, entry.ModRevision)).Distinct());
        Assert.All(entries, entry => Assert.Equal(entry.CreateRevision, entry.ModRevision));
    }

    [Fact]
    public async Task A_definition_of_another_edition_is_renewed_and_objects_stay()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        var before = await RunAsync(store, "1", Before, async server =>
        {
            (await server.PostAsync(Lanterns, """{"metadata":{"name":"a"},"spec":{"colour":"red","maker":"m"}}""")).Expect(201);
            // Neither takes a definition away from the program.
            (await server.PatchAsync(Path, "merge-patch+json", """{"metadata":{"labels":{"team":"light"},"annotations":{"note":"x"}}}""")).Expect(200);
        });

        var after = await RunAsync(store, "2", Manifest, async server =>
        {
            await Eventually.TrueAsync(async () => (await server.PostAsync(Lanterns + "?dryRun=All", """{"metadata":{"name":"b"},"spec":{"colour":"red","maker":"m"}}""")).Body["spec"]!["maker"] is not null);
            Assert.Equal("""{"colour":"red","brightness":50}""", Text((await server.GetAsync(Lanterns + "/a")).Expect(200).Body["spec"]));
            await Eventually.TrueAsync(async () => (await server.GetAsync(Path)).Body["status"]!["acceptedNames"]!["shortNames"] is not null);
        });
        Assert.Equal(Text(before["metadata"]!["uid"]), Text(after["metadata"]!["uid"]));
        Assert.True(JsonNode.DeepEquals(Manifest()["spec"]!["versions"], after["spec"]!["versions"]));
        // Objects lie in both versions.
        Assert.Equal("""["v1beta1"]""", Text(before["status"]!["storedVersions"]));
        Assert.Equal("""["v1beta1","v1"]""", Text(after["status"]!["storedVersions"]));
        Assert.Equal("""{"weft.dev/preinstalled":"true","team":"light"}""", Text(after["metadata"]!["labels"]));
        Assert.Equal("x", after["metadata"]!["annotations"]!["note"]!.GetValue<string>());

        // A renewal is no change of a user's: the next one goes through, too, and so does the way back.
        Assert.Equal(Spec(before), Spec(await RunAsync(store, "1", Before)));
        Assert.Equal(Spec(after), Spec(await RunAsync(store, "2", Manifest)));
        // And who applies another one over it meets no owner.
        await RunAsync(store, "2", Manifest, async server => (await server.ApplyAsync(Path, "user", Before().ToJsonString())).Expect(200));
    }

    [Fact]
    public async Task The_first_request_meets_the_renewed_schema()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        await RunAsync(store, "1", Before);
        using var loaded = new ManualResetEventSlim();
        // The catalog has the old one before the new one is made, and no watch brings the new one.
        var server = await CustomServer.StartAsync(store, parts => parts with
        {
            Preinstalled = [new(Kind, () => loaded.Wait(Eventually.Deadline) ? Manifest() : throw new TimeoutException()) { Edition = "2" }],
            Loads = [.. parts.Loads, _ => { loaded.Set(); return ValueTask.CompletedTask; }],
            Loops = [],
        });
        var created = (await server.PostAsync(Lanterns, """{"metadata":{"name":"a"},"spec":{"colour":"red","maker":"m"}}""")).Expect(201);
        Assert.Equal("m", created.Body["spec"]!["maker"]!.GetValue<string>());
        await server.Host.DisposeAsync();
    }

    [Fact]
    public async Task A_renewal_is_told_when_it_changes_something()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        Assert.Empty(await LinesAsync("1", Before));
        Assert.Empty(await LinesAsync("2", Before));
        Assert.Equal(["Information: Definition lanterns.light.example.com was as another edition of this program made it, and is renewed"], await LinesAsync("3", Manifest));

        async Task<IEnumerable<string>> LinesAsync(string edition, Func<JsonObject> manifest)
        {
            using var log = new LogLines();
            var server = await CustomServer.StartAsync(store, parts => parts with { Preinstalled = [new(Kind, manifest) { Edition = edition }] }, options => options with { Loggers = log });
            await server.Host.DisposeAsync();
            return log.Lines.Where(line => line.Contains("lanterns", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task One_of_a_program_that_did_not_renew_yet_is_renewed()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        await RunAsync(store, "1", Before, async server =>
            (await server.PatchAsync(Path, "merge-patch+json", $$$$"""{"metadata":{"annotations":{"{{{{PreinstalledPlan.Edition}}}}":null,"{{{{PreinstalledPlan.Generation}}}}":null}}}""")).Expect(200));
        Assert.True(JsonNode.DeepEquals(Manifest()["spec"]!["versions"], (await RunAsync(store, "2", Manifest))["spec"]!["versions"]));
    }

    public static TheoryData<string, string> Changes => new()
    {
        { "apply-patch+yaml", """{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"lanterns.light.example.com"},"spec":{"group":"light.example.com","scope":"Namespaced","names":{"plural":"lanterns","kind":"Lantern"},"versions":[{"name":"v1beta1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}""" },
        { "apply-patch+yaml", """{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"lanterns.light.example.com"},"spec":{"scope":"Namespaced"}}""" },
        { "merge-patch+json", """{"spec":{"names":{"categories":["all"]}}}""" },
        { "merge-patch+json", """{"metadata":{"labels":{"weft.dev/preinstalled":null}}}""" },
        { "json-patch+json", """[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/tags"}]""" },
        // Leaves no owner behind.
        { "json-patch+json", """[{"op":"remove","path":"/spec/names/categories"}]""" },
        { "", "" },
    };

    [Theory, MemberData(nameof(Changes))]
    public async Task One_that_a_user_has_changed_is_left_alone(string type, string change)
    {
        await using var store = new MemoryStore(TimeProvider.System);
        var changed = await RunAsync(store, "1", Before, async server =>
        {
            if (type.Length > 0)
            {
                (await server.SendAsync(HttpMethod.Patch, Path + (type.StartsWith("apply", StringComparison.Ordinal) ? "?fieldManager=user" : ""), change, "application/" + type)).Expect(200);
                return;
            }
            var whole = (await server.GetAsync(Path)).Body;
            whole["spec"]!["names"]!["singular"] = "light";
            (await server.PutAsync(Path, whole.ToJsonString())).Expect(200);
        });
        var after = await RunAsync(store, "2", Manifest);
        Assert.Equal(Spec(changed), Spec(after));
        Assert.Equal("1", after["metadata"]!["annotations"]![PreinstalledPlan.Edition]!.GetValue<string>());
    }

    [Fact]
    public async Task A_start_with_nothing_to_do_makes_no_definition_and_writes_none()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        await RunAsync(store, "1", Before);
        var revision = store.Revision;
        await RunAsync(store, "1", () => throw new InvalidOperationException("nobody needs it"));
        Assert.Equal(revision, store.Revision);

        // An edition with the same definition says that it has looked, once.
        var spec = await RunAsync(store, "2", Before);
        Assert.Equal(1, spec["metadata"]!["generation"]!.GetValue<long>());
        revision = store.Revision;
        await RunAsync(store, "2", () => throw new InvalidOperationException("nobody needs it"));
        Assert.Equal(revision, store.Revision);
    }

    [Fact]
    public async Task One_whose_names_a_user_has_does_not_keep_the_server_from_starting()
    {
        await using var store = new MemoryStore(TimeProvider.System);
        var first = await CustomServer.StartAsync(store);
        var own = Things("""{"type":"object"}""", names: "\"shortNames\":[\"ln\"]").Replace("example.com", "light.example.com", StringComparison.Ordinal);
        await first.EstablishAsync(own);
        await first.Host.DisposeAsync();

        var second = await StartAsync(store, "1", Manifest);
        var conditions = (await second.GetAsync(Path)).Expect(200).Body["status"]!["conditions"]!.AsArray();
        Assert.Equal(["NamesAccepted=False", "Established=False"], conditions.Select(condition => $"{condition!["type"]}={condition["status"]}"));
        Assert.Equal(404, (await second.GetAsync(Lanterns)).Code);
        await second.Host.DisposeAsync();
    }
}
