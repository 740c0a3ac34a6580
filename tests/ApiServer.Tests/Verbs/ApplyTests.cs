using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

/// <summary>Server-side apply on a built-in and on a custom kind: the same expectations, the same code.</summary>
public sealed class ApplyTests
{
    public static TheoryData<string, string> Kinds => new()
    {
        { "/apis/example.com/v1/namespaces/default/widgets/x", "{apiVersion: example.com/v1, kind: Widget, metadata: {name: x}, spec: {replicas: REPLICAS}}" },
        {
            "/apis/apps/v1/namespaces/default/deployments/x",
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: REPLICAS, selector: {matchLabels: {a: b}}, "
                + "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}"
        },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Apply_creates_and_then_updates(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(201);
        var updated = (await server.ApplyAsync(path, "me", With(configuration, 2))).Expect(200);
        Assert.Equal(2, Replicas(updated));

        var entry = Assert.Single(updated.Metadata["managedFields"]!.AsArray());
        Assert.Equal("me", entry!["manager"]!.GetValue<string>());
        Assert.Equal("Apply", entry["operation"]!.GetValue<string>());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Apply_of_the_same_configuration_writes_nothing(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(201);
        var before = server.Store.Revision;
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(200);
        Assert.Equal(before, server.Store.Revision);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Another_managers_field_is_a_conflict_until_forced(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(201);

        var refused = (await server.ApplyAsync(path, "you", With(configuration, 2))).Expect(409);
        Assert.Equal("Conflict", refused.Reason);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"me\": .spec.replicas", refused.Message);
        var cause = Assert.Single(refused.Body["details"]!["causes"]!.AsArray())!;
        Assert.Equal("""{"reason":"FieldManagerConflict","message":"conflict with \u0022me\u0022","field":".spec.replicas"}""", cause.ToJsonString());

        Assert.Equal(2, Replicas((await server.ApplyAsync(path + "?force=true", "you", With(configuration, 2))).Expect(200)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_field_left_out_of_the_next_configuration_goes(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        (await server.ApplyAsync(path, "me", With(configuration, 3).Replace("name: x}", "name: x, labels: {old: one, both: two}}", StringComparison.Ordinal))).Expect(201);
        var updated = (await server.ApplyAsync(path, "me", With(configuration, 3).Replace("name: x}", "name: x, labels: {both: two}}", StringComparison.Ordinal))).Expect(200);
        Assert.Equal("""{"both":"two"}""", updated.Metadata["labels"]!.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_unknown_field_cannot_be_applied(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        var refused = await server.ApplyAsync(path, "me", With(configuration, 1).Replace("spec: {", "spec: {nonsense: 1, ", StringComparison.Ordinal));
        Assert.Equal(400, refused.Code);
        Assert.Contains(".spec.nonsense", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_update_takes_the_fields_it_changes_from_their_applier(string path, string configuration)
    {
        await using var server = await TestServer.StartAsync();
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(201);
        var patched = (await server.PatchAsync(path + "?fieldManager=editor", "merge-patch+json", """{"spec":{"replicas":9}}""")).Expect(200);

        var editor = patched.Metadata["managedFields"]!.AsArray().Single(entry => entry!["manager"]!.GetValue<string>() == "editor")!;
        Assert.Equal("""{"f:spec":{"f:replicas":{}}}""", editor["fieldsV1"]!.ToJsonString());
        Assert.Equal("Update", editor["operation"]!.GetValue<string>());
        (await server.ApplyAsync(path, "me", With(configuration, 1))).Expect(409);
    }

    [Fact]
    public async Task Apply_needs_a_manager()
    {
        await using var server = await TestServer.StartAsync();
        var (path, configuration) = ("/apis/example.com/v1/namespaces/default/widgets/x", "{apiVersion: example.com/v1, kind: Widget, metadata: {name: x}}");
        (await server.PatchAsync(path, "apply-patch+yaml", configuration)).Expect(422);
    }

    [Fact]
    public async Task An_empty_entry_forgets_all_managers()
    {
        await using var server = await TestServer.StartAsync();
        var (path, configuration) = ("/apis/example.com/v1/namespaces/default/widgets/x", "{apiVersion: example.com/v1, kind: Widget, metadata: {name: x}, spec: {colour: red}}");
        (await server.ApplyAsync(path, "me", configuration)).Expect(201);
        var reset = (await server.PatchAsync(path, "merge-patch+json", """{"metadata":{"managedFields":[{}]}}""")).Expect(200);
        Assert.Null(reset.Metadata["managedFields"]);
    }

    private static string With(string configuration, int replicas) =>
        configuration.Replace("REPLICAS", replicas.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static int Replicas(Answer answer) => answer.Body["spec"]!["replicas"]!.GetValue<int>();
}
