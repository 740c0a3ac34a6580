using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Watch;

public sealed class WatchTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_watch_from_a_revision_sees_every_later_change_in_order()
    {
        await using var server = await TestServer.StartAsync();
        var list = (await server.GetAsync(Widgets)).Expect(200);
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion={list.Revision}");

        await CreateAsync(server, "a", "red");
        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"spec":{"colour":"blue"}}""")).Expect(200);
        (await server.DeleteAsync($"{Widgets}/a")).Expect(200);

        Assert.Equal("ADDED a", await watch.NextTextAsync());
        var modified = await watch.NextAsync();
        Assert.Equal("blue", modified!["object"]!["spec"]!["colour"]!.GetValue<string>());
        var deleted = await watch.NextAsync();
        Assert.Equal("DELETED", deleted!["type"]!.GetValue<string>());
        Assert.True(Number(deleted) > Number(modified));
    }

    [Fact]
    public async Task A_watch_without_a_revision_begins_with_what_is_there()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, "a", "red");
        await using var watch = await server.WatchAsync($"{Widgets}?watch=true");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        await CreateAsync(server, "b", "red");
        Assert.Equal("ADDED b", await watch.NextTextAsync());
    }

    [Fact]
    public async Task Leaving_the_selector_is_a_deletion_and_entering_it_an_addition()
    {
        await using var server = await TestServer.StartAsync();
        var list = await server.GetAsync(Widgets);
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion={list.Revision}&fieldSelector=spec.colour%3Dred");

        await CreateAsync(server, "a", "blue");
        await CreateAsync(server, "b", "red");
        (await server.PatchAsync($"{Widgets}/a", "merge-patch+json", """{"spec":{"colour":"red"}}""")).Expect(200);
        (await server.PatchAsync($"{Widgets}/b", "merge-patch+json", """{"spec":{"colour":"blue"}}""")).Expect(200);

        Assert.Equal("ADDED b", await watch.NextTextAsync());
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        Assert.Equal("DELETED b", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_streaming_list_ends_with_the_bookmark_that_says_so()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, "a", "red");
        await using var watch = await server.WatchAsync(
            $"{Widgets}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");

        Assert.Equal("ADDED a", await watch.NextTextAsync());
        var bookmark = await watch.NextAsync();
        Assert.Equal("BOOKMARK", bookmark!["type"]!.GetValue<string>());
        Assert.Equal("true", bookmark["object"]!["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.GetValue<string>());
        Assert.Equal(server.Store.Revision, Number(bookmark));
    }

    [Fact]
    public async Task A_compacted_revision_is_an_error_event_with_410()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, "a", "red");
        await CreateAsync(server, "b", "red");
        await CreateAsync(server, "c", "red");
        await server.Store.CompactAsync(server.Store.Revision);

        await using var watch = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion=1");
        var error = await watch.NextAsync();

        Assert.Equal("ERROR", error!["type"]!.GetValue<string>());
        Assert.Equal(410, error["object"]!["code"]!.GetValue<int>());
        Assert.Equal("Expired", error["object"]!["reason"]!.GetValue<string>());
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task A_watch_ends_at_its_timeout_with_a_bookmark()
    {
        await using var server = await TestServer.StartAsync();
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1&resourceVersion={server.Store.Revision}&timeoutSeconds=1&allowWatchBookmarks=true");
        Assert.Equal("BOOKMARK", await watch.NextTextAsync());
        Assert.Equal("end", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_watch_of_tables_sends_the_columns_once()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, "a", "red");
        await CreateAsync(server, "b", "blue");
        await using var watch = await server.WatchAsync($"{Widgets}?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io");

        var first = (await watch.NextAsync())!["object"]!;
        var second = (await watch.NextAsync())!["object"]!;

        Assert.Equal("Table", first["kind"]!.GetValue<string>());
        Assert.Equal(2, first["columnDefinitions"]!.AsArray().Count);
        Assert.Equal("""["a","red"]""", first["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal("PartialObjectMetadata", first["rows"]![0]!["object"]!["kind"]!.GetValue<string>());
        Assert.Null(second["columnDefinitions"]);
    }

    private static async Task CreateAsync(TestServer server, string name, string colour) =>
        (await server.PostAsync(Widgets, $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"colour":"{{{colour}}}"}}""")).Expect(201);

    private static long Number(System.Text.Json.Nodes.JsonObject frame) =>
        long.Parse(frame["object"]!["metadata"]!["resourceVersion"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
}
