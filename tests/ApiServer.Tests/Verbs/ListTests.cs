using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

public sealed class ListTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task Chunks_show_one_revision_and_count_what_remains()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 5);

        var first = (await server.GetAsync($"{Widgets}?limit=2")).Expect(200);
        Assert.Equal(["w0", "w1"], Names(first));
        Assert.Equal(3, first.Metadata["remainingItemCount"]!.GetValue<int>());
        (await server.DeleteAsync($"{Widgets}/w3")).Expect(200);

        var second = (await server.GetAsync($"{Widgets}?limit=2&continue={first.Metadata["continue"]}")).Expect(200);
        var third = (await server.GetAsync($"{Widgets}?limit=2&continue={second.Metadata["continue"]}")).Expect(200);

        Assert.Equal(["w2", "w3"], Names(second));
        Assert.Equal(["w4"], Names(third));
        Assert.Equal(first.Revision, third.Revision);
        Assert.Null(third.Metadata["continue"]);
    }

    [Fact]
    public async Task An_expired_token_comes_back_with_one_that_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 3);
        var first = (await server.GetAsync($"{Widgets}?limit=1")).Expect(200);
        (await server.DeleteAsync($"{Widgets}/w1")).Expect(200);
        (await server.PostAsync(Widgets, """{"metadata":{"name":"z"}}""")).Expect(201);
        await server.Store.CompactAsync(server.Store.Revision);

        var expired = (await server.GetAsync($"{Widgets}?limit=1&continue={first.Metadata["continue"]}")).Expect(410);
        Assert.Equal("Expired", expired.Reason);
        var rest = (await server.GetAsync($"{Widgets}?continue={expired.Metadata["continue"]}")).Expect(200);

        Assert.Equal(["w2", "z"], Names(rest));
    }

    [Theory]
    [InlineData("labelSelector=parity%3Deven", "w0,w2,w4")]
    [InlineData("labelSelector=parity%20in%20(odd)", "w1,w3")]
    [InlineData("labelSelector=!parity", "")]
    [InlineData("fieldSelector=metadata.name%3Dw3", "w3")]
    [InlineData("fieldSelector=spec.colour!%3Dred", "w1,w3")]
    [InlineData("fieldSelector=spec.colour%3Dred&labelSelector=parity%3Dodd", "")]
    public async Task Selectors_choose(string query, string expected)
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 5);
        Assert.Equal(expected, string.Join(',', Names((await server.GetAsync($"{Widgets}?{query}")).Expect(200))));
    }

    [Fact]
    public async Task A_limit_with_a_selector_counts_matches()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 5);
        var first = (await server.GetAsync($"{Widgets}?limit=2&labelSelector=parity%3Deven")).Expect(200);
        var second = (await server.GetAsync($"{Widgets}?limit=2&labelSelector=parity%3Deven&continue={first.Metadata["continue"]}")).Expect(200);
        Assert.Equal(["w0", "w2"], Names(first));
        Assert.Equal(["w4"], Names(second));
    }

    [Theory]
    [InlineData("resourceVersionMatch=Exact", 422)]
    [InlineData("resourceVersionMatch=Exact&resourceVersion=0", 422)]
    [InlineData("resourceVersionMatch=Sometimes&resourceVersion=1", 422)]
    [InlineData("sendInitialEvents=true", 422)]
    [InlineData("resourceVersion=abc", 400)]
    [InlineData("resourceVersion=99999", 504)]
    [InlineData("continue=abc", 400)]
    [InlineData("limit=abc", 400)]
    [InlineData("labelSelector=a%3D%3D%3Db", 400)]
    [InlineData("fieldSelector=spec.size%3D1", 400)]
    [InlineData("watch=1&sendInitialEvents=true", 422)]
    [InlineData("watch=1&resourceVersionMatch=NotOlderThan", 422)]
    public async Task Queries_that_make_no_sense_are_refused(string query, int code)
    {
        await using var server = await TestServer.StartAsync();
        (await server.GetAsync($"{Widgets}?{query}")).Expect(code);
    }

    [Fact]
    public async Task An_exact_revision_shows_the_past()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 2);
        var then = server.Store.Revision;
        (await server.DeleteAsync($"{Widgets}/w0")).Expect(200);

        var past = (await server.GetAsync($"{Widgets}?resourceVersion={then}&resourceVersionMatch=Exact")).Expect(200);
        var now = (await server.GetAsync($"{Widgets}?resourceVersion={then}&resourceVersionMatch=NotOlderThan")).Expect(200);

        Assert.Equal(["w0", "w1"], Names(past));
        Assert.Equal(["w1"], Names(now));
    }

    [Fact]
    public async Task A_table_has_columns_cells_and_metadata()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 2);
        const string accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

        var table = (await server.GetAsync(Widgets, accept)).Expect(200);

        Assert.Equal("Table", table.Body["kind"]!.GetValue<string>());
        Assert.Equal("Colour", table.Body["columnDefinitions"]![1]!["name"]!.GetValue<string>());
        Assert.Equal("""["w0","red"]""", table.Body["rows"]![0]!["cells"]!.ToJsonString());
        Assert.Equal("w0", table.Body["rows"]![0]!["object"]!["metadata"]!["name"]!.GetValue<string>());
        Assert.Null(table.Body["rows"]![0]!["object"]!["spec"]);
        Assert.Null((await server.GetAsync($"{Widgets}?includeObject=None", accept)).Body["rows"]![0]!["object"]);
        Assert.NotNull((await server.GetAsync($"{Widgets}?includeObject=Object", accept)).Body["rows"]![0]!["object"]!["spec"]);
    }

    [Fact]
    public async Task Metadata_alone_is_sent_when_asked_for()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 1);
        var list = (await server.GetAsync(Widgets, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).Expect(200);
        Assert.Equal("PartialObjectMetadataList", list.Body["kind"]!.GetValue<string>());
        var item = list.Body["items"]![0]!;
        Assert.Equal("PartialObjectMetadata", item["kind"]!.GetValue<string>());
        Assert.Equal("even", item["metadata"]!["labels"]!["parity"]!.GetValue<string>());
        Assert.Null(item["spec"]);
    }

    [Fact]
    public async Task All_namespaces_are_listed_together()
    {
        await using var server = await TestServer.StartAsync();
        await CreateAsync(server, 1);
        (await server.PostAsync("/apis/example.com/v1/namespaces/kube-system/widgets", """{"metadata":{"name":"other"}}""")).Expect(201);
        Assert.Equal(["w0", "other"], Names((await server.GetAsync("/apis/example.com/v1/widgets")).Expect(200)));
    }

    [Fact]
    public async Task A_large_list_is_compressed_for_those_who_accept_it()
    {
        await using var server = await TestServer.StartAsync();
        var filler = new string('x', 60_000);
        for (var i = 0; i < 4; i++)
            (await server.PostAsync(Widgets, $$$"""{"metadata":{"name":"w{{{i}}}"},"spec":{"colour":"{{{filler}}}"}}""")).Expect(201);

        using var message = new HttpRequestMessage(HttpMethod.Get, Widgets);
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
        using var response = await server.Http.SendAsync(message);
        var raw = await response.Content.ReadAsByteArrayAsync();

        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(raw), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        Assert.Equal(4, JsonNode.Parse(await reader.ReadToEndAsync())!["items"]!.AsArray().Count);
        Assert.True(raw.Length < 10_000);
    }

    private static async Task CreateAsync(TestServer server, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var (parity, colour) = i % 2 == 0 ? ("even", "red") : ("odd", "blue");
            (await server.PostAsync(Widgets, $$$"""{"metadata":{"name":"w{{{i}}}","labels":{"parity":"{{{parity}}}"}},"spec":{"colour":"{{{colour}}}"}}""")).Expect(201);
        }
    }

    private static List<string> Names(Answer list) => [.. list.Body["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>())];
}
