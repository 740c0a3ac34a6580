using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

public sealed class DeleteTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";
    private const string Lingerers = "/apis/example.com/v1/namespaces/default/lingerers";

    [Fact]
    public async Task A_delete_answers_success_with_the_uid()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);

        var deleted = (await server.DeleteAsync($"{Widgets}/a")).Expect(200);

        Assert.Equal("Success", deleted.Body["status"]!.GetValue<string>());
        Assert.Equal(created.Metadata["uid"]!.GetValue<string>(), deleted.Body["details"]!["uid"]!.GetValue<string>());
        (await server.GetAsync($"{Widgets}/a")).Expect(404);
    }

    [Fact]
    public async Task A_finalizer_holds_the_object_until_it_is_taken_away()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a","finalizers":["example.com/hold"]}}""")).Expect(201);

        var marked = (await server.DeleteAsync($"{Widgets}/a")).Expect(200);
        Assert.NotNull(marked.Metadata["deletionTimestamp"]);
        Assert.Equal(2, marked.Metadata["generation"]!.GetValue<int>());
        (await server.GetAsync($"{Widgets}/a")).Expect(200);

        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"metadata":{"finalizers":null}}""")).Expect(200);
        (await server.GetAsync($"{Widgets}/a")).Expect(404);
    }

    [Theory]
    [InlineData("Foreground", "foregroundDeletion", 202)]
    [InlineData("Orphan", "orphan", 200)]
    public async Task A_propagation_policy_becomes_a_finalizer_for_the_collector(string policy, string finalizer, int code)
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        var marked = (await server.DeleteAsync($"{Widgets}/a", $$"""{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"{{policy}}"}""")).Expect(code);
        Assert.Equal($"[\"{finalizer}\"]", marked.Metadata["finalizers"]!.ToJsonString());
    }

    [Fact]
    public async Task Preconditions_are_held_against_the_stored_object()
    {
        await using var server = await TestServer.StartAsync();
        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);

        (await server.DeleteAsync($"{Widgets}/a", """{"preconditions":{"uid":"another"}}""")).Expect(409);
        (await server.DeleteAsync($"{Widgets}/a", """{"preconditions":{"resourceVersion":"1"}}""")).Expect(409);
        (await server.DeleteAsync($"{Widgets}/a", $$$"""{"preconditions":{"resourceVersion":"{{{created.Revision}}}"}}""")).Expect(200);
    }

    [Fact]
    public async Task A_graceful_delete_waits_and_a_second_one_may_only_be_shorter()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Lingerers, """{"metadata":{"name":"a"}}""")).Expect(201);

        var marked = (await server.DeleteAsync($"{Lingerers}/a")).Expect(200);
        Assert.Equal(30, marked.Metadata["deletionGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal(30, (await server.DeleteAsync($"{Lingerers}/a?gracePeriodSeconds=60")).Expect(200).Metadata["deletionGracePeriodSeconds"]!.GetValue<int>());
        Assert.Equal(5, (await server.DeleteAsync($"{Lingerers}/a?gracePeriodSeconds=5")).Expect(200).Metadata["deletionGracePeriodSeconds"]!.GetValue<int>());
        (await server.DeleteAsync($"{Lingerers}/a?gracePeriodSeconds=0")).Expect(200);
        (await server.GetAsync($"{Lingerers}/a")).Expect(404);
    }

    [Fact]
    public async Task A_dry_run_deletes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        (await server.DeleteAsync($"{Widgets}/a?dryRun=All")).Expect(200);
        (await server.DeleteAsync($"{Widgets}/a", """{"dryRun":["All"]}""")).Expect(200);
        (await server.GetAsync($"{Widgets}/a")).Expect(200);
    }

    [Fact]
    public async Task Deleting_a_collection_takes_what_the_selector_chooses()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var (name, tier) in new[] { ("a", "front"), ("b", "back"), ("c", "front") })
            (await server.PostAsync(Widgets, $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"tier":"{{{{tier}}}}"}}}""")).Expect(201);

        var deleted = (await server.DeleteAsync($"{Widgets}?labelSelector=tier%3Dfront")).Expect(200);

        Assert.Equal(2, deleted.Body["items"]!.AsArray().Count);
        var left = (await server.GetAsync(Widgets)).Body["items"]!.AsArray();
        Assert.Equal("b", Assert.Single(left)!["metadata"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Contradicting_options_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);
        (await server.DeleteAsync($"{Widgets}/a", """{"orphanDependents":true,"propagationPolicy":"Orphan"}""")).Expect(422);
        (await server.DeleteAsync($"{Widgets}/a?propagationPolicy=Sideways")).Expect(422);
        (await server.DeleteAsync($"{Widgets}/a", """{"kind":"Widget"}""")).Expect(400);
    }
}
