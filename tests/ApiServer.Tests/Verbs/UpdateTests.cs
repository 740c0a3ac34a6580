using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

public sealed class UpdateTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_write_against_an_old_revision_is_a_conflict()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);
        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"spec":{"colour":"blue"}}""")).Expect(200);

        var refused = (await server.PutAsync($"{Widgets}/a", created.Text)).Expect(409);

        Assert.Equal("Conflict", refused.Reason);
        Assert.Equal(
            "Operation cannot be fulfilled on widgets.example.com \"a\": the object has been modified; please apply your changes to the latest version and try again",
            refused.Message);
    }

    [Fact]
    public async Task A_write_that_changes_nothing_keeps_the_revision()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);
        var before = server.Store.Revision;

        var again = (await server.PutAsync($"{Widgets}/a", created.Text)).Expect(200);
        var patched = (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"spec":{"colour":"red"}}""")).Expect(200);

        Assert.Equal(created.Revision, again.Revision);
        Assert.Equal(created.Revision, patched.Revision);
        Assert.Equal(before, server.Store.Revision);
    }

    [Fact]
    public async Task The_generation_counts_changes_of_the_spec_alone()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);

        var labelled = (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"metadata":{"labels":{"x":"y"}}}""")).Expect(200);
        var reported = (await server.PatchAsync($"{Widgets}/a/status", "merge-patch+json", """{"status":{"phase":"Up"},"spec":{"colour":"green"}}""")).Expect(200);
        var changed = (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"spec":{"colour":"blue"},"status":{"phase":"Down"}}""")).Expect(200);

        Assert.Equal(1, labelled.Metadata["generation"]!.GetValue<int>());
        Assert.Equal(1, reported.Metadata["generation"]!.GetValue<int>());
        Assert.Equal("red", reported.Body["spec"]!["colour"]!.GetValue<string>());
        Assert.Equal("Up", reported.Body["status"]!["phase"]!.GetValue<string>());
        Assert.Equal(2, changed.Metadata["generation"]!.GetValue<int>());
        Assert.Equal("Up", changed.Body["status"]!["phase"]!.GetValue<string>());
    }

    [Fact]
    public async Task Identity_cannot_be_changed()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);

        (await server.PutAsync($"{Widgets}/a", created.Text.Replace("\"name\":\"a\"", "\"name\":\"b\"", StringComparison.Ordinal))).Expect(400);
        var uid = created.Metadata["uid"]!.GetValue<string>();
        var refused = (await server.PutAsync($"{Widgets}/a", created.Text.Replace(uid, "another", StringComparison.Ordinal))).Expect(409);
        Assert.Contains($"Precondition failed: UID in precondition: another, UID in object meta: {uid}", refused.Message, StringComparison.Ordinal);
        var kept = (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"}}""")).Expect(200);
        Assert.Equal(created.Metadata["creationTimestamp"]!.GetValue<string>(), kept.Metadata["creationTimestamp"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_put_of_a_custom_kind_must_say_which_revision_it_replaces()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        var refused = (await server.PutAsync($"{Widgets}/a", """{"metadata":{"name":"a"}}""")).Expect(422);
        Assert.Contains("metadata.resourceVersion: Invalid value: 0: must be specified for an update", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUT", "application/json", """{"metadata":{"name":"none","resourceVersion":"1"}}""")]
    [InlineData("PATCH", "application/merge-patch+json", "{}")]
    [InlineData("DELETE", "application/json", null)]
    [InlineData("GET", "application/json", null)]
    public async Task What_does_not_exist_is_not_found(string method, string type, string? body)
    {
        await using var server = await TestServer.StartAsync();
        var refused = (await server.SendAsync(new HttpMethod(method), $"{Widgets}/none", body, type)).Expect(404);
        Assert.Equal("widgets.example.com \"none\" not found", refused.Message);
    }

    [Fact]
    public async Task Writers_without_a_revision_all_get_through()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            server.PatchAsync($"{Widgets}/a", "merge-patch+json", $$$$"""{"metadata":{"labels":{"k{{{{i}}}}":"v"}}}""")));

        Assert.All(answers, answer => answer.Expect(200));
        var labels = (await server.GetAsync($"{Widgets}/a")).Metadata["labels"]!.AsObject();
        Assert.Equal(20, labels.Count);
    }
}
