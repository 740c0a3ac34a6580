using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.ApiServer.CustomResources;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>A definition and its objects, through a real server: the same path as built-in kinds.</summary>
public sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Lamps = "/apis/shop.example.com/v1/namespaces/d/lamps";

    private const string Definition = """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"lamps.shop.example.com"},
         "spec":{"group":"shop.example.com","scope":"Namespaced","names":{"plural":"lamps","kind":"Lamp","shortNames":["lp"]},
          "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
           "additionalPrinterColumns":[{"name":"Watts","type":"integer","jsonPath":".spec.watts"}],
           "schema":{"openAPIV3Schema":{"type":"object","required":["spec"],"properties":{
             "spec":{"type":"object","required":["colour"],"properties":{
               "colour":{"type":"string","enum":["red","blue"]},"watts":{"type":"integer","minimum":1,"default":5},
               "bulbs":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                 "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"on":{"type":"boolean"}}}}}},
             "status":{"type":"object","properties":{"lit":{"type":"boolean"}}}}}}}]}}
        """;

    private static async Task<TestServer> StartAsync()
    {
        // The parts follow the store that the server is given, so both must be the same one.
        var store = new MemoryStore(TimeProvider.System);
        var catalog = ResourceCatalog.Create(store, TimeProvider.System, NullLoggerFactory.Instance);
        var establisher = new CrdEstablisher(store, catalog.Current.All, TimeProvider.System, NullLogger<CrdEstablisher>.Instance);
        return await TestServer.StartAsync(store: store, parts: parts => parts with { Catalog = catalog, Admission = [establisher], Loads = [catalog.LoadAsync], Loops = [catalog.RunAsync, establisher.RunAsync] });
    }

    private static async Task EstablishAsync(TestServer server)
    {
        (await server.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"d"}}""")).Expect(201);
        (await server.PostAsync(Definitions, Definition)).Expect(201);
        await Eventually.TrueAsync(async () => CrdConditions.IsEstablished((await server.GetAsync($"{Definitions}/lamps.shop.example.com")).Body));
        await Eventually.TrueAsync(async () => (await server.GetAsync(Lamps)).Code == 200);
    }

    [Fact]
    public async Task A_definition_becomes_a_served_kind_with_defaults_validation_and_status()
    {
        await using var server = await StartAsync();
        (await server.GetAsync(Lamps)).Expect(404);
        await EstablishAsync(server);

        var created = (await server.PostAsync(Lamps, """{"apiVersion":"shop.example.com/v1","kind":"Lamp","metadata":{"name":"a"},"spec":{"colour":"red"},"status":{"lit":true}}""")).Expect(201);
        Assert.Equal("""{"colour":"red","watts":5}""", Sorted(created.Body["spec"]!));
        Assert.Null(created.Body["status"]);

        var refused = (await server.PostAsync(Lamps, """{"metadata":{"name":"b"},"spec":{"colour":"green","watts":0,"bulbs":[{"name":"x"},{"name":"x"}]}}""")).Expect(422);
        Assert.Contains("spec.colour: Unsupported value: \"green\": supported values: \"red\", \"blue\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains("spec.watts in body should be greater than or equal to 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("spec.bulbs[1]: Duplicate value", refused.Message, StringComparison.Ordinal);

        (await server.PatchAsync($"{Lamps}/a/status", "merge-patch+json", """{"status":{"lit":true},"spec":{"watts":9}}""")).Expect(200);
        var read = (await server.GetAsync($"{Lamps}/a")).Body;
        Assert.Equal("true", read["status"]!["lit"]!.ToJsonString());
        Assert.Equal("5", read["spec"]!["watts"]!.ToJsonString());
    }

    [Fact]
    public async Task Server_side_apply_merges_a_custom_kind_by_its_list_keys_and_reports_conflicts()
    {
        await using var server = await StartAsync();
        await EstablishAsync(server);
        const string Head = """{"apiVersion":"shop.example.com/v1","kind":"Lamp","metadata":{"name":"a"},"spec":""";

        (await server.ApplyAsync($"{Lamps}/a", "one", Head + """{"colour":"red","bulbs":[{"name":"x","on":true}]}}""")).Expect(201);
        (await server.ApplyAsync($"{Lamps}/a", "two", Head + """{"colour":"red","bulbs":[{"name":"y","on":true}]}}""")).Expect(200);
        var both = (await server.GetAsync($"{Lamps}/a")).Body;
        Assert.Equal("""[{"name":"x","on":true},{"name":"y","on":true}]""", both["spec"]!["bulbs"]!.ToJsonString());

        var conflict = (await server.ApplyAsync($"{Lamps}/a", "two", Head + """{"colour":"blue","bulbs":[{"name":"x","on":false}]}}""")).Expect(409);
        Assert.Equal("Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.bulbs[name=\"x\"].on\n- .spec.colour", conflict.Message);

        (await server.ApplyAsync($"{Lamps}/a", "one", Head + """{"colour":"red"}}""")).Expect(200);
        Assert.Equal("""[{"name":"y","on":true}]""", (await server.GetAsync($"{Lamps}/a")).Body["spec"]!["bulbs"]!.ToJsonString());
    }

    [Fact]
    public async Task Deleting_a_definition_deletes_its_objects_and_waits_for_their_finalizers()
    {
        await using var server = await StartAsync();
        await EstablishAsync(server);
        for (var i = 0; i < 20; i++)
            (await server.PostAsync(Lamps, $$"""{"metadata":{"name":"l{{i}}" },"spec":{"colour":"red"} }""")).Expect(201);
        (await server.PostAsync(Lamps, """{"metadata":{"name":"held","finalizers":["example.com/hold"]},"spec":{"colour":"red"}}""")).Expect(201);

        (await server.DeleteAsync($"{Definitions}/lamps.shop.example.com")).Expect(200);
        await Eventually.TrueAsync(async () => (await server.GetAsync(Lamps)).Body["items"]!.AsArray().Count == 1);
        Assert.NotNull((await server.GetAsync($"{Lamps}/held")).Metadata["deletionTimestamp"]);
        (await server.GetAsync($"{Definitions}/lamps.shop.example.com")).Expect(200);
        var refused = (await server.PostAsync(Lamps, """{"metadata":{"name":"late"},"spec":{"colour":"red"}}""")).Expect(403);
        Assert.Contains("create not allowed while custom resource definition is terminating", refused.Message, StringComparison.Ordinal);

        (await server.PatchAsync($"{Lamps}/held", "merge-patch+json", """{"metadata":{"finalizers":null}}""")).Expect(200);
        await Eventually.TrueAsync(async () => (await server.GetAsync($"{Definitions}/lamps.shop.example.com")).Code == 404);
        await Eventually.TrueAsync(async () => (await server.GetAsync(Lamps)).Code == 404);
        Assert.Equal(0, server.Store.Count("/registry/shop.example.com/"));
    }

    [Theory]
    [InlineData("clusterroles", "rbac.authorization.k8s.io")]
    [InlineData("customresourcedefinitions", "apiextensions.k8s.io")]
    [InlineData("events", "events.k8s.io")]
    [InlineData("nodeports", "weft.dev")]
    [InlineData("anything", "weft.dev")]
    public async Task A_definition_cannot_have_a_name_of_the_server(string plural, string group)
    {
        await using var server = await StartAsync();
        var refused = (await server.PostAsync(Definitions, Named(plural, "Thing", group))).Expect(422);
        Assert.Contains($"\"{plural}.{group}\" belongs to the server", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clusterroles", "rbac.authorization.k8s.io", "False")]
    [InlineData("clusterroles", "rbac.authorization.k8s.io", "True")]
    [InlineData("nodeports", "weft.dev", "True")]
    public async Task A_definition_of_an_older_server_that_has_such_a_name_goes_without_its_objects(string plural, string group, string established)
    {
        await using var server = await StartAsync();
        var tree = (JsonObject)JsonNode.Parse(Named(plural, "Thing", group))!;
        tree["metadata"]!["finalizers"] = new JsonArray(CrdConditions.Cleanup);
        tree["metadata"]!["uid"] = "old";
        tree["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Established", ["status"] = established }), ["storedVersions"] = new JsonArray("v1") };
        var kept = $"/registry/{group}/{plural}/kept";
        await server.Store.CommitAsync(new[] { Op.Put(kept, Envelope.Write(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "kept" } }, "v1", 0)) });
        await server.Store.CommitAsync(new[] { Op.Put($"/registry/apiextensions.k8s.io/customresourcedefinitions/{plural}.{group}", Envelope.Write(tree, "v1", 0)) });

        (await server.DeleteAsync($"{Definitions}/{plural}.{group}")).Expect(200);

        await Eventually.TrueAsync(async () => (await server.GetAsync($"{Definitions}/{plural}.{group}")).Code == 404);
        Assert.NotNull(server.Store.Get(kept));
    }

    [Fact]
    public async Task A_definition_that_was_never_served_is_not_held_and_takes_nothing_with_it()
    {
        await using var server = await StartAsync();
        await EstablishAsync(server);
        // The kind is taken, so it is not served.
        (await server.PostAsync(Definitions, Named("torches", "Lamp", "shop.example.com"))).Expect(201);
        await Eventually.TrueAsync(async () => (await server.GetAsync($"{Definitions}/torches.shop.example.com")).Body["status"]!["conditions"]!.AsArray().Count > 0);
        var definition = (await server.GetAsync($"{Definitions}/torches.shop.example.com")).Body;
        Assert.False(CrdConditions.IsEstablished(definition));
        Assert.Null(definition["metadata"]!["finalizers"]);
        const string Kept = "/registry/shop.example.com/torches/d/kept";
        await server.Store.CommitAsync(new[] { Op.Put(Kept, Envelope.Write(new JsonObject { ["metadata"] = new JsonObject { ["name"] = "kept" } }, "v1", 0)) });

        (await server.DeleteAsync($"{Definitions}/torches.shop.example.com")).Expect(200);

        (await server.GetAsync($"{Definitions}/torches.shop.example.com")).Expect(404);
        Assert.NotNull(server.Store.Get(Kept));
    }

    private static string Named(string plural, string kind, string group) => $$"""
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
         "metadata":{"name":"{{plural}}.{{group}}","annotations":{"api-approved.kubernetes.io":"unapproved, for a test"} },
         "spec":{"group":"{{group}}","scope":"Cluster","names":{"plural":"{{plural}}","kind":"{{kind}}"},
          "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"} } }] } }
        """;

    private static string Sorted(JsonNode node) => "{" + string.Join(',', node.AsObject().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"\"{p.Key}\":{p.Value!.ToJsonString()}")) + "}";
}
