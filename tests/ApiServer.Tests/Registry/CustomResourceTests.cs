using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Registry;

public sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Gadgets = "/apis/example.org/v1/namespaces/default/gadgets";

    [Fact]
    public async Task A_definition_serves_its_kind_as_soon_as_it_is_established()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Definitions, Definition("\"colour\":{\"type\":\"string\"}"))).Expect(201);
        (await server.GetAsync(Gadgets)).Expect(404);
        await EstablishAsync(server);

        var created = (await server.PostAsync(Gadgets, """{"metadata":{"name":"a"},"spec":{"colour":"red","unknown":1}}""")).Expect(201);

        Assert.Null(created.Body["spec"]!["unknown"]);
        Assert.Equal("example.org/v1", created.Body["apiVersion"]!.GetValue<string>());
        Assert.Equal("Gadget", created.Body["kind"]!.GetValue<string>());
        Assert.Equal("GadgetList", (await server.GetAsync(Gadgets)).Expect(200).Body["kind"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_object_of_an_older_schema_is_read_by_the_new_one()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Definitions, Definition("\"colour\":{\"type\":\"string\"},\"old\":{\"type\":\"string\"}"))).Expect(201);
        await EstablishAsync(server);
        (await server.PostAsync(Gadgets, """{"metadata":{"name":"a"},"spec":{"colour":"red","old":"x"}}""")).Expect(201);

        (await server.PatchAsync($"{Definitions}/gadgets.example.org", "json-patch+json", """
            [{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/old"},
             {"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size","value":{"type":"integer","default":7}}]
            """)).Expect(200);

        await Testing.Eventually.TrueAsync(async () => (await server.GetAsync($"{Gadgets}/a")).Body["spec"]!["size"] is not null);
        var read = (await server.GetAsync($"{Gadgets}/a")).Expect(200);
        Assert.Equal("""{"colour":"red","size":7}""", read.Body["spec"]!.ToJsonString());
        Assert.Equal("""{"colour":"red","size":7}""", (await server.GetAsync(Gadgets)).Body["items"]![0]!["spec"]!.ToJsonString());
    }

    [Fact]
    public async Task Scale_and_status_come_with_the_definition()
    {
        await using var server = await StartAsync();
        (await server.PostAsync(Definitions, Definition("\"replicas\":{\"type\":\"integer\"}",
            ",\"subresources\":{\"status\":{},\"scale\":{\"specReplicasPath\":\".spec.replicas\",\"statusReplicasPath\":\".status.replicas\"}}"))).Expect(201);
        await EstablishAsync(server);
        (await server.PostAsync(Gadgets, """{"metadata":{"name":"a"},"spec":{"replicas":2}}""")).Expect(201);

        Assert.Equal(2, (await server.GetAsync($"{Gadgets}/a/scale")).Expect(200).Body["spec"]!["replicas"]!.GetValue<int>());
        (await server.PatchAsync($"{Gadgets}/a/scale", "merge-patch+json", """{"spec":{"replicas":5}}""")).Expect(200);
        Assert.Equal(5, (await server.GetAsync($"{Gadgets}/a")).Body["spec"]!["replicas"]!.GetValue<int>());
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(live: store => ResourceCatalog.Create(store, new SchemaReader(), TimeProvider.System, NullLoggerFactory.Instance));

    private static string Definition(string properties, string more = "") =>
        """
        {"metadata":{"name":"gadgets.example.org"},"spec":{"group":"example.org","scope":"Namespaced","names":{"plural":"gadgets","singular":"gadget","kind":"Gadget"},
         "versions":[{"name":"v1","served":true,"storage":true MORE,"schema":{"openAPIV3Schema":{"type":"object","properties":{
           "spec":{"type":"object","properties":{PROPERTIES}},"status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}}}]}}
        """.Replace("MORE", more, StringComparison.Ordinal).Replace("PROPERTIES", properties, StringComparison.Ordinal);

    // What the controller of definitions does.
    private static async Task EstablishAsync(TestServer server)
    {
        var definition = (await server.GetAsync($"{Definitions}/gadgets.example.org")).Expect(200).Body;
        var status = new JsonObject
        {
            ["acceptedNames"] = definition["spec"]!["names"]!.DeepClone(),
            ["storedVersions"] = new JsonArray("v1"),
            ["conditions"] = new JsonArray(
                new JsonObject { ["type"] = "NamesAccepted", ["status"] = "True", ["reason"] = "NoConflicts", ["message"] = "" },
                new JsonObject { ["type"] = "Established", ["status"] = "True", ["reason"] = "InitialNamesAccepted", ["message"] = "" }),
        };
        (await server.PatchAsync($"{Definitions}/gadgets.example.org/status", "merge-patch+json", new JsonObject { ["status"] = status }.ToJsonString())).Expect(200);
    }
}
