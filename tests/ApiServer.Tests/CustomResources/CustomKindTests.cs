using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>What a definition may say, over HTTP: versions, subresources, fields of selectors, and how a changed definition is taken over while it is served.</summary>
public sealed class CustomKindTests
{
    private static string Sorted(JsonNode? node) => node switch
    {
        JsonObject members => "{" + string.Join(',', members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"\"{m.Key}\":{Sorted(m.Value)}")) + "}",
        null => "null",
        _ => node.ToJsonString(),
    };

    [Fact]
    public async Task Nulls_are_absent_take_defaults_or_stay_as_the_schema_says()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""
            {"type":"object","properties":{"foo":{"type":"string","nullable":false,"default":"d"},"bar":{"type":"string","nullable":true,"default":"d"},"baz":{"type":"string"},
             "map":{"type":"object","additionalProperties":{"type":"string"}},"list":{"type":"array","items":{"type":"string"}}}}
            """));
        var made = (await server.PostAsync(ThingPath, Thing("a", """{"foo":null,"bar":null,"baz":null,"map":{"k":null}}"""))).Expect(201);
        Assert.Equal("""{"bar":null,"foo":"d","map":{}}""", Sorted(made.Body["spec"]));

        var refused = (await server.PostAsync(ThingPath, Thing("b", """{"list":[null]}"""))).Expect(422);
        Assert.Contains("spec.list[0] in body must be of type string: \"null\"", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_fields_go_except_where_they_are_to_be_kept()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""
            {"type":"object","properties":{
              "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"known":{"type":"object","properties":{"a":{"type":"string"}}}}},
              "any":{"x-kubernetes-int-or-string":true},
              "pod":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object","properties":{"image":{"type":"string"}}}}}}}
            """));
        var made = (await server.PostAsync(ThingPath, Thing("a", """
            {"free":{"x":1,"known":{"a":"b","c":"d"}},"any":"50%","gone":true,"pod":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"l":"1"},"wrong":1},"spec":{"image":"i","wrong":2}}}
            """))).Expect(201);
        Assert.Equal("""{"any":"50%","free":{"known":{"a":"b"},"x":1},"pod":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"l":"1"},"name":"p"},"spec":{"image":"i"}}}""", Sorted(made.Body["spec"]));
        Assert.Contains("299 - \"unknown field \\\"spec.gone\\\"\"", made.Warnings);
        (await server.PostAsync($"{ThingPath}?fieldValidation=Strict", Thing("b", """{"gone":true}"""))).Expect(400);

        var refused = (await server.PostAsync(ThingPath, Thing("c", """{"any":1.5,"pod":{"metadata":{}}}"""))).Expect(422);
        Assert.Contains("spec.any in body must be of type integer or string", refused.Message, StringComparison.Ordinal);
        Assert.Contains("spec.pod.apiVersion: Required value", refused.Message, StringComparison.Ordinal);
        Assert.Contains("spec.pod.kind: Required value", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"string","pattern":"^a+$"}""", "\"aa\"", "\"ab\"", "should match '^a+$'")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"äöü\"", "\"a\"", "should be at least 2 chars long")]
    [InlineData("""{"type":"string","maxLength":3}""", "\"abc\"", "\"abcd\"", "may not be more than 3 bytes")]
    [InlineData("""{"type":"integer","minimum":1,"maximum":9,"exclusiveMaximum":true}""", "8", "9", "should be less than 9")]
    [InlineData("""{"type":"number","multipleOf":0.1}""", "0.3", "0.35", "should be a multiple of 0.1")]
    [InlineData("""{"type":"string","enum":["x","y"]}""", "\"y\"", "\"z\"", "supported values: \"x\", \"y\"")]
    [InlineData("""{"type":"integer","format":"int32"}""", "2147483647", "2147483648", "must be of type int32")]
    [InlineData("""{"type":"string","format":"ipv4"}""", "\"10.0.0.1\"", "\"10.0.0\"", "must be of type ipv4")]
    [InlineData("""{"type":"string","format":"hexcolor"}""", "\"#fff\"", "\"#ff\"", "must be of type hexcolor")]
    [InlineData("""{"type":"string","format":"isbn13"}""", "\"978-3-16-148410-0\"", "\"978-3-16-148410-1\"", "must be of type isbn13")]
    [InlineData("""{"type":"string","format":"isbn10"}""", "\"0-306-40615-2\"", "\"0-306-40615-3\"", "must be of type isbn10")]
    [InlineData("""{"type":"string","format":"creditcard"}""", "\"4111 1111 1111 1111\"", "\"4111 1111 1111 1112\"", "must be of type creditcard")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":2}""", "[1]", "[1,2,3]", "must have at most 2 items")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"x-kubernetes-list-type":"set"}""", "[1,2]", "[1,1]", "Duplicate value")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":2}""", "{\"a\":1}", "{}", "should have at least 1 properties")]
    [InlineData("""{"type":"integer","oneOf":[{"minimum":5},{"multipleOf":2}]}""", "7", "6", "must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("""{"type":"integer","anyOf":[{"minimum":5},{"multipleOf":2}]}""", "2", "3", "must validate at least one schema (anyOf)")]
    [InlineData("""{"type":"integer","allOf":[{"minimum":5},{"multipleOf":2}]}""", "6", "7", "must validate all the schemas (allOf)")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"not":{"required":["a","b"]}}""", "{\"a\":1}", "{\"a\":1,\"b\":2}", "must not validate the schema (not)")]
    public async Task Values_are_held_against_the_schema(string schema, string good, string bad, string error)
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("{\"type\":\"object\",\"properties\":{\"v\":" + schema + "}}"));
        (await server.PostAsync(ThingPath, Thing("good", $$"""{"v":{{good}}}"""))).Expect(201);
        var refused = (await server.PostAsync(ThingPath, Thing("bad", $$"""{"v":{{bad}}}"""))).Expect(422);
        Assert.Contains(error, refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("spec.v", refused.Body["details"]!["causes"]![0]!["field"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static string TwoVersions(string storage, bool serveOld = true) => $$$"""
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
         "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[
          {"name":"v1","served":true,"storage":{{{(storage == "v1" ? "true" : "false")}}},"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer","default":3},"name":{"type":"string"} } } } } } },
          {"name":"v1beta1","served":{{{(serveOld ? "true" : "false")}}},"storage":{{{(storage == "v1beta1" ? "true" : "false")}}},"deprecated":true,"deprecationWarning":"use v1","schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"name":{"type":"string"} } } } } } }]}}
        """;

    [Fact]
    public async Task Versions_share_their_objects_and_the_old_one_warns_until_it_is_not_served()
    {
        const string Old = "/apis/example.com/v1beta1/namespaces/default/things";
        await using var server = await StartAsync();
        await server.EstablishAsync(TwoVersions("v1beta1"));
        var made = (await server.PostAsync(Old, """{"metadata":{"name":"a"},"spec":{"name":"n"}}""")).Expect(201);
        Assert.Contains("299 - \"use v1\"", made.Warnings);

        var read = (await server.GetAsync($"{ThingPath}/a")).Expect(200);
        Assert.Empty(read.Warnings);
        Assert.Equal("""{"name":"n","size":3}""", Sorted(read.Body["spec"]));
        Assert.Equal("example.com/v1", read.Body["apiVersion"]!.GetValue<string>());
        Assert.Equal("example.com/v1", (await server.GetAsync(ThingPath)).Body["items"]![0]!["apiVersion"]!.GetValue<string>());

        await server.EstablishAsync(TwoVersions("v1"));
        Assert.Equal("""["v1beta1","v1"]""", (await server.GetAsync($"{Definitions}/things.example.com")).Body["status"]!["storedVersions"]!.ToJsonString());
        await server.EstablishAsync(TwoVersions("v1", serveOld: false));
        await Eventually.TrueAsync(async () => (await server.GetAsync(Old)).Code == 404);
        (await server.GetAsync($"{ThingPath}/a")).Expect(200);
    }

    [Fact]
    public async Task A_watcher_goes_on_over_a_changed_schema_and_sees_the_new_fields()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""{"type":"object","properties":{"a":{"type":"string"}}}"""));
        await using var watch = await server.WatchAsync($"{ThingPath}?watch=true");
        (await server.PostAsync(ThingPath, Thing("one", """{"a":"x","b":"y"}"""))).Expect(201);
        Assert.Equal("ADDED one", await watch.NextTextAsync());

        await server.EstablishAsync(Things("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"integer","default":7}}}"""));
        await Eventually.TrueAsync(async () => (await server.PostAsync($"{ThingPath}?dryRun=All", Thing("dry", "{}"))).Body["spec"]!["c"] is not null);
        (await server.PostAsync(ThingPath, Thing("two", """{"a":"x","b":"y"}"""))).Expect(201);
        var frame = (await watch.NextAsync())!;
        Assert.Equal("""{"a":"x","b":"y","c":7}""", Sorted(frame["object"]!["spec"]));
        // What was stored before is completed when it is read.
        Assert.Equal("""{"a":"x","c":7}""", Sorted((await server.GetAsync($"{ThingPath}/one")).Body["spec"]));
    }

    [Fact]
    public async Task A_watch_ends_when_its_kind_is_gone()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""{"type":"object"}"""));
        await using var watch = await server.WatchAsync($"{ThingPath}?watch=true");
        (await server.DeleteAsync($"{Definitions}/things.example.com")).Expect(200);
        Assert.Equal("end", await watch.NextTextAsync());
    }

    [Fact]
    public async Task Selectable_fields_select_in_lists_and_watches()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""{"type":"object","properties":{"colour":{"type":"string"},"n":{"type":"integer"},"on":{"type":"boolean"}}}""",
            "\"selectableFields\":[{\"jsonPath\":\".spec.colour\"},{\"jsonPath\":\".spec.n\"},{\"jsonPath\":\".spec.on\"}]"));
        (await server.PostAsync(ThingPath, Thing("a", """{"colour":"red","n":1,"on":true}"""))).Expect(201);
        (await server.PostAsync(ThingPath, Thing("b", """{"colour":"blue","n":2,"on":false}"""))).Expect(201);
        foreach (var (selector, name) in ((string, string)[])[("spec.colour=red", "a"), ("spec.n=2", "b"), ("spec.on=true", "a"), ("spec.colour!=red,spec.n=2", "b")])
        {
            var items = (await server.GetAsync($"{ThingPath}?fieldSelector={selector}")).Expect(200).Body["items"]!.AsArray();
            Assert.Equal([name], items.Select(item => item!["metadata"]!["name"]!.GetValue<string>()));
        }
        (await server.GetAsync($"{ThingPath}?fieldSelector=spec.other=1")).Expect(400);
    }

    [Theory]
    [InlineData("\"selectableFields\":[{\"jsonPath\":\".spec.none\"}]", "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.none\": does not refer to a valid field")]
    [InlineData("\"selectableFields\":[{\"jsonPath\":\".spec.list\"}]", "does not refer to a field of type string, boolean or integer")]
    [InlineData("\"selectableFields\":[{\"jsonPath\":\".metadata.name\"}]", "must be a simple path such as .spec.color, not into metadata")]
    [InlineData("\"deprecated\":true,\"deprecationWarning\":\"a\\nb\"", "spec.versions[0].deprecationWarning: Invalid value: \"a\\nb\": must only contain printable UTF-8 characters")]
    [InlineData("\"deprecationWarning\":\"a\"", "can only be set for deprecated versions")]
    [InlineData("\"subresources\":{\"scale\":{\"specReplicasPath\":\".status.x\",\"statusReplicasPath\":\".status.replicas\"}}", "spec.versions[0].subresources.scale.specReplicasPath: Invalid value")]
    [InlineData("\"additionalPrinterColumns\":[{\"name\":\"A\",\"type\":\"text\",\"jsonPath\":\".spec.a\"}]", "spec.versions[0].additionalPrinterColumns[0].type: Unsupported value: \"text\"")]
    public async Task A_wrong_version_is_refused_with_its_place(string version, string error)
    {
        await using var server = await StartAsync();
        var refused = (await server.PostAsync(Definitions, Things("""{"type":"object","properties":{"list":{"type":"array","items":{"type":"string"}}}}""", version))).Expect(422);
        Assert.Contains(error, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_format_that_nobody_checks_is_warned_of()
    {
        await using var server = await StartAsync();
        var made = (await server.PostAsync(Definitions, Things("""{"type":"object","properties":{"a":{"type":"string","format":"colour-name"},"b":{"type":"string","format":"uuid"}}}"""))).Expect(201);
        Assert.Equal("299 - \"spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[a].format: unrecognized format \\\"colour-name\\\" is not checked\"", Assert.Single(made.Warnings));
    }

    [Fact]
    public async Task A_definition_that_an_older_server_took_can_still_be_labelled_but_not_changed_into_another_wrong_one()
    {
        await using var server = await StartAsync();
        var tree = (JsonObject)JsonNode.Parse(Things("""{"type":"object","properties":{"a":{}}}"""))!;
        tree["metadata"]!["uid"] = "old";
        tree["spec"]!["names"]!["singular"] = "thing";
        tree["spec"]!["names"]!["listKind"] = "ThingList";
        tree["spec"]!["conversion"] = new JsonObject { ["strategy"] = "None" };
        tree["status"] = new JsonObject { ["storedVersions"] = new JsonArray("v1") };
        await server.Store.CommitAsync(new[] { Weft.Storage.Op.Put("/registry/apiextensions.k8s.io/customresourcedefinitions/things.example.com", Weft.ApiServer.Registry.Envelope.Write(tree, "v1", 0)) });

        (await server.PatchAsync($"{Definitions}/things.example.com", "merge-patch+json", """{"metadata":{"labels":{"a":"b"}}}""")).Expect(200);
        var refused = (await server.PatchAsync($"{Definitions}/things.example.com", "merge-patch+json", """{"spec":{"names":{"shortNames":["t"]}}}""")).Expect(422);
        Assert.Contains("properties[a].type: Required value", refused.Message, StringComparison.Ordinal);
    }
}
