using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.Verbs;

public sealed class CreateTests
{
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    [Fact]
    public async Task A_created_object_has_identity_defaults_and_a_revision()
    {
        await using var server = await TestServer.StartAsync();

        var created = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"colour":"red"},"status":{"phase":"x"}}""")).Expect(201);

        Assert.Equal("Widget", created.Body["kind"]!.GetValue<string>());
        Assert.Equal("example.com/v1", created.Body["apiVersion"]!.GetValue<string>());
        Assert.Equal("default", created.Metadata["namespace"]!.GetValue<string>());
        Assert.Equal(36, created.Metadata["uid"]!.GetValue<string>().Length);
        Assert.Equal(1, created.Metadata["generation"]!.GetValue<int>());
        Assert.Equal(1, created.Body["spec"]!["size"]!.GetValue<int>());
        Assert.Null(created.Body["status"]);
        Assert.NotEqual("", created.Revision);
        Assert.Equal(created.Text, (await server.GetAsync($"{Widgets}/a")).Expect(200).Text);
    }

    [Fact]
    public async Task A_second_object_of_the_name_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(201);

        var refused = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"}}""")).Expect(409);

        Assert.Equal("AlreadyExists", refused.Reason);
        Assert.Equal("widgets.example.com \"a\" already exists", refused.Message);
        Assert.Equal("""{"name":"a","group":"example.com","kind":"widgets"}""", refused.Body["details"]!.ToJsonString());
    }

    [Fact]
    public async Task A_generated_name_is_tried_again_when_it_is_taken()
    {
        await using var server = await TestServer.StartAsync();
        var names = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var created = (await server.PostAsync(Widgets, """{"metadata":{"generateName":"a-"}}""")).Expect(201);
            Assert.True(names.Add(created.Metadata["name"]!.GetValue<string>()));
        }
        Assert.All(names, name => Assert.Matches("^a-[b-df-hj-np-tv-xz2-9]{5}$", name));
    }

    [Fact]
    public async Task The_namespace_of_body_and_path_must_agree()
    {
        await using var server = await TestServer.StartAsync();

        var refused = (await server.PostAsync(Widgets, """{"metadata":{"name":"a","namespace":"other"}}""")).Expect(400);

        Assert.Equal("the namespace of the provided object does not match the namespace sent on the request", refused.Message);
    }

    [Fact]
    public async Task A_dry_run_answers_the_object_and_writes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var before = server.Store.Revision;

        var answered = (await server.PostAsync($"{Widgets}?dryRun=All", """{"metadata":{"name":"a"},"spec":{"colour":"red"}}""")).Expect(201);

        Assert.Equal(1, answered.Body["spec"]!["size"]!.GetValue<int>());
        Assert.Equal(before, server.Store.Revision);
        (await server.GetAsync($"{Widgets}/a")).Expect(404);
        (await server.PostAsync($"{Widgets}?dryRun=Some", """{"metadata":{"name":"a"}}""")).Expect(422);
    }

    [Fact]
    public async Task An_unknown_field_warns_is_ignored_or_refused_as_asked()
    {
        await using var server = await TestServer.StartAsync();
        string Body(string name) => $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"colour":"red","color":"x","colour":"blue"}}""";

        var warned = (await server.PostAsync(Widgets, Body("a"))).Expect(201);
        Assert.Equal(["299 - \"duplicate field \\\"spec.colour\\\"\"", "299 - \"unknown field \\\"spec.color\\\"\""], warned.Warnings);
        Assert.Null(warned.Body["spec"]!["color"]);

        Assert.Empty((await server.PostAsync($"{Widgets}?fieldValidation=Ignore", Body("b"))).Expect(201).Warnings);
        var refused = (await server.PostAsync($"{Widgets}?fieldValidation=Strict", """{"metadata":{"name":"c"},"spec":{"color":"x"}}""")).Expect(400);
        Assert.Contains("strict decoding error: unknown field \"spec.color\"", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_is_named_with_its_path()
    {
        await using var server = await TestServer.StartAsync();

        var refused = (await server.PostAsync(Widgets, """{"metadata":{"name":"a"},"spec":{"size":-1,"colour":5}}""")).Expect(422);

        Assert.Equal("Invalid", refused.Reason);
        Assert.StartsWith("Widget.example.com \"a\" is invalid: [", refused.Message, StringComparison.Ordinal);
        var fields = ((JsonArray)refused.Body["details"]!["causes"]!).Select(cause => cause!["field"]!.GetValue<string>()).Order().ToList();
        Assert.Equal(["spec.colour", "spec.size"], fields);
    }

    [Fact]
    public async Task Yaml_is_read_and_answered()
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, "metadata:\n  name: a\nspec:\n  colour: red\n", "application/yaml")).Expect(201);

        var yaml = (await server.GetAsync($"{Widgets}/a", "application/yaml")).Expect(200);

        Assert.Equal("application/yaml", yaml.MediaType);
        Assert.Contains("\n  colour: red\n", yaml.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/cbor", 415)]
    [InlineData("text/plain", 415)]
    public async Task A_body_in_another_format_is_refused(string type, int code)
    {
        await using var server = await TestServer.StartAsync();
        (await server.PostAsync(Widgets, "x", type)).Expect(code);
    }

    [Fact]
    public async Task Protobuf_readers_get_json_when_they_accept_it()
    {
        await using var server = await TestServer.StartAsync();
        Assert.Equal("application/json", (await server.GetAsync(Widgets, "application/vnd.kubernetes.protobuf,application/json")).Expect(200).MediaType);
        (await server.GetAsync(Widgets, "application/vnd.kubernetes.protobuf")).Expect(406);
    }
}
