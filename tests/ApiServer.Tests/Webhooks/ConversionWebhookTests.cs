using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.CustomResources;
using Weft.ApiServer.Tests.Kit;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>A kind whose versions have other members: v1 (stored) has `size`, v1beta1 has `width` and `height`.</summary>
public sealed class ConversionWebhookTests
{
    private const string Old = "/apis/example.com/v1beta1/namespaces/default/things";

    private static string Definition(HookServer hook) => """
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
         "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},
          "conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":CLIENT}},"versions":[
          {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"string"},"colour":{"type":"string","default":"red"}}}}}}},
          {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"width":{"type":"integer"},"height":{"type":"integer"}}}}}}}]}}
        """.Replace("CLIENT", hook.ByUrl("/convert"), StringComparison.Ordinal);

    private static JsonObject Convert(JsonObject request)
    {
        var wanted = request["desiredAPIVersion"]!.GetValue<string>();
        var converted = new JsonArray();
        foreach (var item in request["objects"]!.AsArray())
        {
            var tree = (JsonObject)item!.DeepClone();
            var spec = (JsonObject)tree["spec"]!;
            tree["apiVersion"] = wanted;
            if (wanted.EndsWith("/v1", StringComparison.Ordinal))
                tree["spec"] = new JsonObject { ["size"] = $"{spec["width"]}x{spec["height"]}", ["unknown"] = 1 };
            else
            {
                var parts = spec["size"]!.GetValue<string>().Split('x');
                tree["spec"] = new JsonObject { ["width"] = int.Parse(parts[0]), ["height"] = int.Parse(parts[1]) };
            }
            ((JsonObject)tree["metadata"]!)["labels"] = new JsonObject { ["converted"] = "yes" };
            converted.Add((JsonNode)tree);
        }
        return new JsonObject { ["result"] = new JsonObject { ["status"] = "Success" }, ["convertedObjects"] = converted };
    }

    [Fact]
    public async Task Objects_are_written_read_listed_watched_patched_and_deleted_in_either_version()
    {
        await using var hook = await HookServer.StartAsync((_, request) => Convert(request));
        await using var server = await StartAsync();
        await server.EstablishAsync(Definition(hook));

        var made = (await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{"width":2,"height":3}}""")).Expect(201).Body;
        Assert.Equal("""example.com/v1beta1 {"width":2,"height":3}""", $"{made["apiVersion"]} {made["spec"]!.ToJsonString()}");
        var stored = (await server.GetAsync($"{ThingPath}/a")).Expect(200).Body;
        Assert.Equal("""{"size":"2x3","colour":"red"}""", stored["spec"]!.ToJsonString());
        Assert.Equal("yes", stored["metadata"]!["labels"]!["converted"]!.GetValue<string>());
        Assert.Equal(made["metadata"]!["uid"]!.ToJsonString(), stored["metadata"]!["uid"]!.ToJsonString());

        (await server.PostAsync(ThingPath, Thing("b", """{"size":"5x7"}"""))).Expect(201);
        Assert.Equal("""{"width":5,"height":7}""", (await server.GetAsync($"{Old}/b")).Expect(200).Body["spec"]!.ToJsonString());
        var asked = hook.Asked.Count;
        var list = (await server.GetAsync(Old)).Expect(200).Body["items"]!.AsArray();
        Assert.Equal(["""{"width":2,"height":3}""", """{"width":5,"height":7}"""], list.Select(item => item!["spec"]!.ToJsonString()));
        Assert.Equal(asked + 1, hook.Asked.Count); // one call for the whole list

        await using var watch = await server.WatchAsync($"{Old}?watch=true");
        Assert.Equal("""{"width":2,"height":3}""", (await watch.NextAsync())!["object"]!["spec"]!.ToJsonString());
        Assert.Equal("ADDED b", await watch.NextTextAsync());
        var patched = (await server.PatchAsync($"{Old}/b", "merge-patch+json", """{"spec":{"height":8}}""")).Expect(200).Body;
        Assert.Equal("""{"width":5,"height":8}""", patched["spec"]!.ToJsonString());
        Assert.Equal("""MODIFIED {"width":5,"height":8}""", await watch.NextAsync() is { } frame ? $"{frame["type"]} {frame["object"]!["spec"]!.ToJsonString()}" : "");
        Assert.Equal("5x8", (await server.GetAsync($"{ThingPath}/b")).Body["spec"]!["size"]!.GetValue<string>());
        Assert.Equal("""{"width":9,"height":8}""", (await server.ApplyAsync($"{Old}/b?force=true", "m", """{"apiVersion":"example.com/v1beta1","kind":"Thing","metadata":{"name":"b"},"spec":{"width":9}}""")).Expect(200).Body["spec"]!.ToJsonString());

        (await server.DeleteAsync($"{Old}/b")).Expect(200);
        (await server.GetAsync($"{ThingPath}/b")).Expect(404);
    }

    [Theory]
    [InlineData("failed", "a clear reason")]
    [InlineData("count", "expected 1 converted objects, got 0")]
    [InlineData("version", "expected example.com/v1, Kind=Thing, got example.com/v2, Kind=Thing")]
    [InlineData("name", "a converted object must keep its metadata.name")]
    [InlineData("uid", "expected response.uid to be that of the request")]
    public async Task A_failed_conversion_fails_the_request_and_says_why(string way, string problem)
    {
        await using var hook = await HookServer.StartAsync((_, request) =>
        {
            var answer = Convert(request);
            var list = answer["convertedObjects"]!.AsArray();
            switch (way)
            {
                case "failed": answer["result"] = new JsonObject { ["status"] = "Failure", ["message"] = "a clear reason" }; break;
                case "count": list.Clear(); break;
                case "version": list[0]!["apiVersion"] = "example.com/v2"; break;
                case "name": list[0]!["metadata"]!["name"] = "other"; break;
                default: answer["uid"] = "other"; break;
            }
            return answer;
        });
        await using var server = await StartAsync();
        await server.EstablishAsync(Definition(hook));
        var refused = (await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{"width":2,"height":3}}""")).Expect(500);
        Assert.Equal($"Internal error occurred: conversion webhook for things.example.com failed: {problem}", refused.Message);
        Assert.Equal(0, server.Store.Count("/registry/example.com/"));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_fails_the_request_and_says_why()
    {
        await using var hook = await HookServer.StartAsync((_, _) => HookServer.CutOff());
        await using var server = await StartAsync();
        await server.EstablishAsync(Definition(hook));
        var refused = (await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{"width":2,"height":3}}""")).Expect(500);
        Assert.StartsWith("Internal error occurred: conversion webhook for things.example.com failed: failed to call webhook: Post ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_webhook_what_is_stored_has_the_defaults_of_the_storage_version()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync("""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
             "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[
              {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer"},"colour":{"type":"string","default":"red"}}}}}}},
              {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer"},"old":{"type":"string"}}}}}}}]}}
            """);
        (await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{"n":1,"old":"x"}}""")).Expect(201);
        Assert.Equal("""{"n":1,"colour":"red"}""", (await server.GetAsync($"{ThingPath}/a")).Body["spec"]!.ToJsonString());
        var before = (await server.GetAsync($"{Old}/a")).Body;
        Assert.Equal("""{"n":1}""", before["spec"]!.ToJsonString());
        // A write that changes nothing writes nothing, in any version.
        Assert.Equal(before["metadata"]!["resourceVersion"]!.GetValue<string>(), (await server.PatchAsync($"{Old}/a", "merge-patch+json", """{"spec":{"n":1}}""")).Expect(200).Revision);
    }
}
