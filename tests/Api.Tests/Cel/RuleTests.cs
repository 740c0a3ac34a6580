using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Cel.Rules;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Cel;

/// <summary>Rules of a schema: when each runs, and what its error says.</summary>
public sealed class RuleTests
{
    private static Schema Schema(string text) => CrdSchema.FromCrd((JsonObject)JsonNode.Parse(text)!);

    private static string Errors(Schema schema, string now, string? old = null, long budget = CelLimits.PerObject) =>
        string.Join('\n', RuleValidator.Validate(JsonNode.Parse(now)!, schema, old is null ? null : JsonNode.Parse(old), budget));

    private static string WithRule(string rule, string more = "") =>
        """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"x-kubernetes-validations":[{"rule":"RULE"MORE}]}"""
            .Replace("RULE", rule, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal);

    [Theory]
    [InlineData("", ": Invalid value: \"object\": failed rule: self.a <= self.b")]
    [InlineData(",\"message\":\"a must not exceed b\"", ": Invalid value: \"object\": a must not exceed b")]
    [InlineData(",\"message\":\"fixed\",\"messageExpression\":\"'a is ' + string(self.a)\"", ": Invalid value: \"object\": a is 5")]
    [InlineData(",\"message\":\"fixed\",\"messageExpression\":\"string(1 / (self.a - self.a))\"", ": Invalid value: \"object\": fixed")]
    [InlineData(",\"messageExpression\":\"' '\"", ": Invalid value: \"object\": failed rule: self.a <= self.b")]
    [InlineData(",\"reason\":\"FieldValueForbidden\",\"fieldPath\":\".b\"", "b: Forbidden: failed rule: self.a <= self.b")]
    [InlineData(",\"reason\":\"FieldValueRequired\",\"fieldPath\":\"['b']\"", "b: Required value: failed rule: self.a <= self.b")]
    [InlineData(",\"reason\":\"FieldValueDuplicate\"", ": Duplicate value: \"object\": failed rule: self.a <= self.b")]
    public void A_failed_rule_says_what_its_author_wrote(string more, string error)
    {
        var schema = Schema(WithRule("self.a <= self.b", more));
        Assert.Equal("", Errors(schema, """{"a":1,"b":2}"""));
        Assert.Equal(error, Errors(schema, """{"a":5,"b":2}"""));
    }

    [Fact]
    public void A_rule_that_fails_itself_refuses() =>
        Assert.Equal(": Invalid value: \"object\": no such key: b evaluating rule: failed rule: self.a <= self.b", Errors(Schema(WithRule("self.a <= self.b")), """{"a":5}"""));

    [Fact]
    public void Rules_of_absent_and_null_values_do_not_run()
    {
        var schema = Schema("""{"type":"object","properties":{"a":{"type":"string","nullable":true,"x-kubernetes-validations":[{"rule":"self == 'x'"}]}}}""");
        Assert.Equal("", Errors(schema, "{}"));
        Assert.Equal("", Errors(schema, """{"a":null}"""));
        Assert.Equal("a: Invalid value: \"y\": failed rule: self == 'x'", Errors(schema, """{"a":"y"}"""));
    }

    [Theory]
    [InlineData("!has(self.x) || self.x > 0", "{\"x\":null}", true)]
    [InlineData("!has(self.x) || self.x > 0", "{\"x\":0}", false)]
    [InlineData("self.?x.orValue(5) == 5", "{\"x\":null}", true)]
    [InlineData("dyn(self) == dyn({'y': 1})", "{\"x\":null,\"y\":1}", true)]
    [InlineData("size(dyn(self)) == 1 && !('x' in dyn(self))", "{\"x\":null,\"y\":1}", true)]
    [InlineData("self.free.all(k, k == 'a') && 'a' in self.free && self.free.a == null", "{\"free\":{\"a\":null}}", true)]
    public void A_null_member_of_an_object_is_absent_and_a_null_value_of_a_map_is_not(string rule, string tree, bool good)
    {
        var schema = Schema("""
            {"type":"object","properties":{"x":{"type":"integer","nullable":true},"y":{"type":"integer"},"free":{"type":"object","additionalProperties":{"type":"string","nullable":true}}},
             "x-kubernetes-validations":[{"rule":"RULE"}]}
            """.Replace("RULE", rule, StringComparison.Ordinal));
        Assert.Empty(schema.Rules[0].Errors);
        Assert.Equal(good ? "" : $": Invalid value: \"object\": failed rule: {rule}", Errors(schema, tree));
    }

    [Fact]
    public void Transitions_run_only_where_there_was_a_value()
    {
        var schema = Schema(WithRule("self.a >= oldSelf.a"));
        Assert.Equal("", Errors(schema, """{"a":1}"""));
        Assert.Equal("", Errors(schema, """{"a":2}""", """{"a":1}"""));
        Assert.StartsWith(": Invalid value", Errors(schema, """{"a":1}""", """{"a":2}"""), StringComparison.Ordinal);

        var optional = Schema(WithRule("oldSelf.hasValue() ? self.a == oldSelf.value().a : self.a == 1", ",\"optionalOldSelf\":true"));
        Assert.Equal("", Errors(optional, """{"a":1}"""));
        Assert.NotEqual("", Errors(optional, """{"a":2}"""));
        Assert.Equal("", Errors(optional, """{"a":2}""", """{"a":2}"""));
    }

    [Fact]
    public void Items_of_a_map_list_and_values_of_a_map_are_known_again_by_their_keys()
    {
        var schema = Schema("""
            {"type":"object","properties":{
              "items":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["n"],"items":{"type":"object","required":["n"],"properties":{"n":{"type":"string"},"v":{"type":"integer"}},
                "x-kubernetes-validations":[{"rule":"self.v >= oldSelf.v"}]}},
              "map":{"type":"object","additionalProperties":{"type":"integer","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"is fixed"}]}}}}
            """);
        const string Old = """{"items":[{"n":"a","v":1},{"n":"b","v":5}],"map":{"k":1}}""";
        Assert.Equal("", Errors(schema, """{"items":[{"n":"b","v":6},{"n":"a","v":1},{"n":"c","v":0}],"map":{"k":1,"l":2}}""", Old));
        Assert.Equal("items[0]: Invalid value: \"object\": failed rule: self.v >= oldSelf.v\nmap[k]: Invalid value: 2: is fixed", Errors(schema, """{"items":[{"n":"b","v":4}],"map":{"k":2}}""", Old));
    }

    [Fact]
    public void A_value_that_did_not_change_keeps_what_it_was_let_in_with()
    {
        var schema = Schema("""{"type":"object","properties":{"a":{"type":"string","x-kubernetes-validations":[{"rule":"self != 'bad'"}]},"n":{"type":"integer","maximum":3}}}""");
        Assert.Equal("", Errors(schema, """{"a":"bad","n":1}""", """{"a":"bad","n":2}"""));
        Assert.NotEqual("", Errors(schema, """{"a":"bad"}""", """{"a":"good"}"""));

        Assert.Empty(StructuralValidator.Validate(JsonNode.Parse("""{"n":5,"a":"x"}"""), schema, JsonNode.Parse("""{"n":5,"a":"y"}"""), ratchet: true));
        Assert.NotEmpty(StructuralValidator.Validate(JsonNode.Parse("""{"n":5}"""), schema, JsonNode.Parse("""{"n":6}"""), ratchet: true));
        Assert.NotEmpty(StructuralValidator.Validate(JsonNode.Parse("""{"n":5}"""), schema, JsonNode.Parse("""{"n":5}""")));
    }

    [Theory]
    [InlineData("""{"type":"object","required":["z"],"properties":{"z":{"type":"string"}}}""", "a.z: Required value")]
    [InlineData("""{"type":"object","x-kubernetes-preserve-unknown-fields":true,"not":{"required":["k"]}}""", "a: Invalid value: {\"k\":1}: \"a\" must not validate the schema (not)")]
    public void What_is_missing_or_combined_is_judged_all_the_same(string schema, string error)
    {
        var whole = Schema("{\"type\":\"object\",\"properties\":{\"a\":" + schema + "}}");
        Assert.Contains(error, StructuralValidator.Validate(JsonNode.Parse("""{"a":{"k":1}}"""), whole, JsonNode.Parse("""{"a":{"k":1}}"""), ratchet: true).Select(found => found.ToString()));
    }

    [Fact]
    public void The_budget_of_an_object_holds_over_all_its_rules()
    {
        var schema = Schema("""{"type":"object","properties":{"l":{"type":"array","items":{"type":"integer"},"x-kubernetes-validations":[{"rule":"self.all(x, self.all(y, x <= y + 1000000))"}]}}}""");
        var list = "{\"l\":[" + string.Join(',', Enumerable.Range(0, 100)) + "]}";
        Assert.Equal("", Errors(schema, list));
        Assert.Equal("l: Forbidden: validation failed due to running out of cost budget, no further validation rules will be run", Errors(schema, list, budget: 10_000));
    }

    // The constructs that definitions of gateways and meshes live on.
    [Theory]
    [InlineData("self.all(x, self.exists_one(y, x.name == y.name))", """[{"name":"a"},{"name":"b"}]""", """[{"name":"a"},{"name":"a"}]""")]
    [InlineData("self.all(x, x.protocol in ['TCP', 'UDP'] ? !has(x.tls) : true)", """[{"name":"a","protocol":"TCP"},{"name":"b","tls":{}}]""", """[{"name":"a","protocol":"TCP","tls":{}}]""")]
    [InlineData("self.all(x, (has(x.host) ? 1 : 0) + (has(x.tls) ? 1 : 0) + (has(x.protocol) ? 1 : 0) <= 1)", """[{"name":"a","host":"h"}]""", """[{"name":"a","host":"h","tls":{}}]""")]
    [InlineData("self.filter(x, x.protocol == 'TCP').size() <= 1", """[{"name":"a","protocol":"TCP"},{"name":"b","protocol":"UDP"}]""", """[{"name":"a","protocol":"TCP"},{"name":"b","protocol":"TCP"}]""")]
    [InlineData("self.all(x, !has(x.path) || x.path.matches(r'^(?:[-A-Za-z0-9/._~!$&*+,;=:@]|[%][0-9a-fA-F]{2})+$') && x.path.startsWith('/'))", """[{"name":"a","path":"/a%20b"}]""", """[{"name":"a","path":"/a b"}]""")]
    [InlineData("self.all(x, !(has(x.all) && has(x.each) && duration(x.all) != duration('0s') && duration(x.each) > duration(x.all)))", """[{"name":"a","all":"0s","each":"9s"},{"name":"b","all":"5s","each":"1s"}]""", """[{"name":"a","all":"1s","each":"5s"}]""")]
    [InlineData("self.all(x, self.all(y, x.name == y.name && ((!has(x.__namespace__) || x.__namespace__ == '') == (!has(y.__namespace__) || y.__namespace__ == '')) ? x.host == y.host : true))",
        """[{"name":"a","host":"h","namespace":"n"},{"name":"a","host":"h"}]""", """[{"name":"a","host":"h"},{"name":"a","host":"i","namespace":""}]""")]
    [InlineData("self.all(x, x.port == dyn(1) || string(x.port).endsWith('%'))", """[{"name":"a","port":1},{"name":"b","port":"5%"}]""", """[{"name":"a","port":2}]""")]
    public void Rules_over_lists_of_listeners(string rule, string good, string bad)
    {
        var schema = Schema("""
            {"type":"object","properties":{"l":{"type":"array","maxItems":64,"x-kubernetes-validations":[{"rule":"RULE"}],"items":{"type":"object","required":["name"],"properties":{
              "name":{"type":"string"},"protocol":{"type":"string","default":""},"host":{"type":"string"},"namespace":{"type":"string"},"path":{"type":"string"},"all":{"type":"string"},"each":{"type":"string"},
              "port":{"x-kubernetes-int-or-string":true},"tls":{"type":"object","properties":{"mode":{"type":"string"}}}}}}}}
            """.Replace("RULE", rule, StringComparison.Ordinal));
        Assert.Empty(schema.Properties["l"].Rules[0].Errors);
        Assert.InRange(schema.Properties["l"].Rules[0].Program!.EstimatedCost, 1, CelLimits.Estimate);
        string Filled(string list)
        {
            var tree = JsonNode.Parse("{\"l\":" + list + "}")!;
            if (rule.Contains("filter", StringComparison.Ordinal) || rule.Contains(" in ", StringComparison.Ordinal))
                Defaulter.Apply(tree, schema);
            return tree.ToJsonString();
        }
        Assert.Equal("", Errors(schema, Filled(good)));
        Assert.Equal($"l: Invalid value: \"array\": failed rule: {rule}", Errors(schema, Filled(bad)));
    }
}
