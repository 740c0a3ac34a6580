using System.Text.Json.Nodes;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Tests.Kit;
using Weft.Testing;
using static Weft.ApiServer.Tests.CustomResources.CustomServer;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>Rules in CEL: what a definition is refused for, and what objects are.</summary>
public sealed class ValidationRuleTests
{
    private static List<string> Errors(string rule, string at = "{\"type\":\"string\",\"x-kubernetes-validations\":[RULE]}") =>
        [.. StructuralSchema.Validate(new Field(JsonNode.Parse("{\"type\":\"object\",\"properties\":{\"a\":" + at.Replace("RULE", rule, StringComparison.Ordinal) + "}}"), "s")).Select(error => error.ToString())];

    private const string At = "s.properties[a].x-kubernetes-validations[0]";

    [Theory]
    [InlineData("""{"rule":"self.size() > 0","message":"m","reason":"FieldValueInvalid"}""")]
    [InlineData("""{"rule":"self == oldSelf"}""")]
    [InlineData("""{"rule":"!oldSelf.hasValue() || self == oldSelf.value()","optionalOldSelf":true}""")]
    [InlineData("""{"rule":"self != 'x'","messageExpression":"'is ' + self"}""")]
    public void A_good_rule_passes(string rule) => Assert.Empty(Errors(rule));

    [Theory]
    [InlineData("""{"rule":""}""", ".rule: Required value: rule is not specified")]
    [InlineData("""{"rule":"self.size() >"}""", ".rule: Invalid value: \"self.size() >\": compilation failed: ERROR: <input>:1:14: Syntax error: unexpected end of the expression\n | self.size() >\n | .............^")]
    [InlineData("""{"rule":"self + 1 == 2"}""", ".rule: Invalid value: \"self + 1 == 2\": compilation failed: ERROR: <input>:1:6: found no matching overload for '_+_' applied to '(string, int)'\n | self + 1 == 2\n | .....^")]
    [InlineData("""{"rule":"self"}""", ".rule: Invalid value: \"self\": compilation failed: ERROR: <input>:1:1: must evaluate to bool, not string\n | self\n | ^")]
    [InlineData("""{"rule":"true","messageExpression":"1"}""", ".messageExpression: Invalid value: \"1\": messageExpression compilation failed: ERROR: <input>:1:1: must evaluate to string, not int\n | 1\n | ^")]
    [InlineData("""{"rule":"true","message":" "}""", ".message: Invalid value: \" \": message must be non-empty if specified")]
    [InlineData("""{"rule":"true","message":"a\nb"}""", ".message: Invalid value: \"a\\nb\": message must not contain line breaks")]
    [InlineData("""{"rule":"true &&\ntrue"}""", ".message: Required value: message must be specified if rule contains line breaks")]
    [InlineData("""{"rule":"true","reason":"Bad"}""", ".reason: Unsupported value: \"Bad\": supported values: \"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"")]
    [InlineData("""{"rule":"true","fieldPath":"x"}""", ".fieldPath: Invalid value: \"x\": fieldPath must be a path of members such as .spec.names['first.name']")]
    [InlineData("""{"rule":"true","fieldPath":".x"}""", ".fieldPath: Invalid value: \".x\": fieldPath must be a valid path: the schema has no such field")]
    [InlineData("""{"rule":"true","optionalOldSelf":true}""", ".optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule")]
    public void A_wrong_rule_is_refused_with_its_place(string rule, string error) => Assert.Contains(At + error, Errors(rule));

    [Fact]
    public void A_transition_needs_a_value_that_can_be_known_again()
    {
        const string List = """{"type":"array","maxItems":5,"items":{"type":"string","x-kubernetes-validations":[RULE]}}""";
        Assert.Equal(["s.properties[a].items.x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[a].items"],
            Errors("""{"rule":"self == oldSelf"}""", List));
        Assert.Empty(Errors("""{"rule":"self.size() > 1"}""", List));
        Assert.Empty(Errors("""{"rule":"self.v == oldSelf.v"}""",
            """{"type":"array","maxItems":5,"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"},"v":{"type":"string"}},"x-kubernetes-validations":[RULE]}}"""));
    }

    [Fact]
    public void A_rule_that_could_cost_too_much_is_refused_until_its_lists_are_bounded()
    {
        const string Rule = """{"rule":"self.all(x, self.all(y, x == y || x != y))"}""";
        Assert.Contains("estimated rule cost exceeds budget", Assert.Single(Errors(Rule, """{"type":"array","items":{"type":"string"},"x-kubernetes-validations":[RULE]}""")), StringComparison.Ordinal);
        Assert.Empty(Errors(Rule, """{"type":"array","maxItems":100,"items":{"type":"string"},"x-kubernetes-validations":[RULE]}"""));
    }

    // A request has room for so many values and no more, however lists are nested: Istio's definitions count on it.
    [Fact]
    public void In_lists_without_limits_a_rule_counts_as_often_as_a_request_has_room_for_its_value()
    {
        const string Nested = """{"type":"array","items":{"type":"object","properties":{"b":{"type":"array","maxItems":4096,"items":{"type":"object","properties":{"c":{"type":"string","x-kubernetes-validations":[RULE]}}}}}}}""";
        Assert.Empty(Errors("""{"rule":"duration(self) >= duration('1ms')"}""", Nested));
        Assert.Contains("estimated rule cost exceeds budget", Assert.Single(Errors("""{"rule":"self != 'a' && self != 'b' && self != 'c' && self != 'd' && self != 'e'"}""", Nested)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_are_kept_over_http_at_creation_update_and_status()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""
            {"type":"object","properties":{"min":{"type":"integer"},"max":{"type":"integer"},"fixed":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"fixed is immutable"}]}},
             "x-kubernetes-validations":[{"rule":"!has(self.min) || !has(self.max) || self.min <= self.max","messageExpression":"'min %d is above max %d'.format([self.min, self.max])","fieldPath":".min"}]}
            """));
        (await server.PostAsync(ThingPath, Thing("a", """{"min":1,"max":2,"fixed":"x"}"""))).Expect(201);
        var refused = (await server.PostAsync(ThingPath, Thing("b", """{"min":3,"max":2}"""))).Expect(422);
        Assert.Equal("Thing.example.com \"b\" is invalid: spec.min: Invalid value: \"object\": min 3 is above max 2", refused.Message);
        Assert.Contains("fixed is immutable", (await server.PatchAsync($"{ThingPath}/a", "merge-patch+json", """{"spec":{"fixed":"y"}}""")).Expect(422).Message, StringComparison.Ordinal);
        (await server.PatchAsync($"{ThingPath}/a", "merge-patch+json", """{"spec":{"max":9}}""")).Expect(200);
        Assert.Contains("spec.min", (await server.ApplyAsync($"{ThingPath}/a", "m", Thing("a", """{"min":10}"""))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stricter_definition_leaves_unchanged_values_alone()
    {
        await using var server = await StartAsync();
        await server.EstablishAsync(Things("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}"""));
        (await server.PostAsync(ThingPath, Thing("old", """{"a":"long","b":"x"}"""))).Expect(201);
        await server.EstablishAsync(Things("""{"type":"object","properties":{"a":{"type":"string","maxLength":2,"x-kubernetes-validations":[{"rule":"self != 'long'"}]},"b":{"type":"string"}}}"""));
        await Eventually.TrueAsync(async () => (await server.PostAsync($"{ThingPath}?dryRun=All", Thing("new", """{"a":"long"}"""))).Code == 422);
        (await server.PatchAsync($"{ThingPath}/old", "merge-patch+json", """{"spec":{"b":"y"}}""")).Expect(200);
        (await server.PatchAsync($"{ThingPath}/old", "merge-patch+json", """{"spec":{"a":"longer"}}""")).Expect(422);
    }
}
