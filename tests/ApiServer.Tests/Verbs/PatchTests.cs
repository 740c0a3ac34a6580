using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

public sealed class PatchTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments";

    private const string Deployment = """
        {"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
         "spec":{"containers":[{"name":"a","image":"one"},{"name":"b","image":"two"}]}}}}
        """;

    [Fact]
    public async Task A_patch_that_does_not_apply_says_why_where_kubectl_looks()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);

        var refused = (await server.PatchAsync($"{Widgets}/a", "json-patch+json", """[{"op":"test","path":"/spec/colour","value":"green"}]""")).Expect(422);

        var cause = Assert.Single(refused.Body["details"]!["causes"]!.AsArray())!;
        Assert.Equal("patch", cause["field"]!.GetValue<string>());
        Assert.Equal(refused.Message, cause["message"]!.GetValue<string>());
        Assert.Contains("/spec/colour", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_json_patch_tests_and_replaces()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);

        (await server.PatchAsync($"{Widgets}/a", "json-patch+json", """[{"op":"test","path":"/spec/colour","value":"green"}]""")).Expect(422);
        var patched = (await server.PatchAsync($"{Widgets}/a", "json-patch+json",
            """[{"op":"test","path":"/spec/colour","value":"red"},{"op":"replace","path":"/spec/colour","value":"blue"}]""")).Expect(200);

        Assert.Equal("blue", patched.Body["spec"]!["colour"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_strategic_patch_merges_a_built_in_list_by_its_key()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Deployments, Deployment)).Expect(201);

        var patched = (await server.PatchAsync($"{Deployments}/web", "strategic-merge-patch+json",
            """{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"three"},{"name":"a","$patch":"delete"}]}}}}""")).Expect(200);

        var containers = patched.Body["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        Assert.Equal("three", Assert.Single(containers)!["image"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_custom_kind_refuses_a_strategic_patch()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        var refused = (await server.PatchAsync($"{Widgets}/a", "strategic-merge-patch+json", "{}")).Expect(415);
        Assert.Equal("UnsupportedMediaType", refused.Reason);
    }

    [Fact]
    public async Task A_patch_with_a_revision_is_a_compare_and_set()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        var body = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = created.Revision, ["labels"] = new JsonObject { ["x"] = "1" } } }.ToJsonString();
        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", body)).Expect(200);
        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", body)).Expect(409);
    }

    [Fact]
    public async Task A_patch_that_leaves_an_invalid_object_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Deployments, Deployment)).Expect(201);
        var before = server.Store.Revision;

        var refused = (await server.PatchAsync($"{Deployments}/web", "merge-patch+json", """{"spec":{"replicas":-1}}""")).Expect(422);

        Assert.StartsWith("Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, server.Store.Revision);
    }
}
