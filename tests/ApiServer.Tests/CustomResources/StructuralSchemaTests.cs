using System.Text.Json.Nodes;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Strategies.ApiExtensions;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>Each rule of a structural schema: what breaks it, and the place that the error names.</summary>
public sealed class StructuralSchemaTests
{
    private static List<string> Errors(string schema) =>
        [.. StructuralSchema.Validate(new Field(JsonNode.Parse(schema), "s")).Select(error => error.ToString())];

    private static string Root(string properties) => """{"type":"object","properties":{PROPERTIES}}""".Replace("PROPERTIES", properties, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"object"}""")]
    [InlineData("""{"type":"object","x-kubernetes-preserve-unknown-fields":true}""")]
    [InlineData("""{"type":"object","properties":{"metadata":{"type":"object","properties":{"name":{"type":"string","pattern":"^a"}}}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"allOf":[{"anyOf":[{"type":"integer"},{"type":"string"}]},{"minimum":1}]}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"],"properties":{"b":{"minLength":2}}}]}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}},"not":{"properties":{"a":{"items":{"pattern":"x"}}}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"integer"},"default":{"x":1}}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["n","p"],"items":{"type":"object","required":["n"],"properties":{"n":{"type":"string"},"p":{"type":"integer","default":1}}}}}}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"object","default":{},"required":["b"],"properties":{"b":{"type":"string","default":"x"}}}}}""")]
    public void A_structural_schema_passes(string schema) => Assert.Empty(Errors(schema));

    [Theory]
    [InlineData("""{"properties":{}}""", "s.type: Required value: must not be empty at the root")]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "s.type: Invalid value: \"array\": must be object at the root")]
    [InlineData("""{"type":"object","nullable":true}""", "s.nullable: Forbidden: nullable cannot be true at the root")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"string"}}""", "s.additionalProperties: Forbidden: additionalProperties cannot be used at the root")]
    [InlineData("""{"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object"}}}}}""", "s.properties[metadata].properties[labels]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified")]
    [InlineData("""{"type":"object","properties":{"kind":{"type":"integer"}}}""", "s.properties[kind].type: Invalid value: \"integer\": must be string")]
    [InlineData("""{"type":"object","properties":{"metadata":{"type":"object","default":{}}}}""", "s.properties[metadata].default: Forbidden: must not be set in metadata")]
    public void The_root_and_metadata_have_rules_of_their_own(string schema, string error) => Assert.Contains(error, Errors(schema));

    [Theory]
    [InlineData("\"a\":{}", "s.properties[a].type: Required value: must not be empty for specified object fields")]
    [InlineData("\"a\":{\"type\":\"text\"}", "s.properties[a].type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"")]
    [InlineData("\"a\":{\"type\":\"string\",\"x-kubernetes-int-or-string\":true}", "s.properties[a].type: Forbidden: must be empty if x-kubernetes-int-or-string is true")]
    [InlineData("\"a\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":false}", "s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined")]
    [InlineData("\"a\":{\"type\":\"string\",\"x-kubernetes-embedded-resource\":true}", "s.properties[a].type: Invalid value: \"string\": must be object if x-kubernetes-embedded-resource is true")]
    [InlineData("\"a\":{\"type\":\"object\",\"x-kubernetes-embedded-resource\":true}", "s.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields")]
    [InlineData("\"a\":{\"type\":\"array\"}", "s.properties[a].items: Required value: must be specified")]
    [InlineData("\"a\":{\"type\":\"array\",\"items\":[{\"type\":\"string\"}]}", "s.properties[a].items: Forbidden: items must be a schema object and not an array")]
    [InlineData("\"a\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true}", "s.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic")]
    [InlineData("\"a\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"properties\":{\"b\":{\"type\":\"string\"}}}", "s.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive")]
    [InlineData("\"a\":{\"type\":\"object\",\"additionalProperties\":false}", "s.properties[a].additionalProperties: Forbidden: additionalProperties cannot be set to false")]
    [InlineData("\"a\":{\"type\":\"string\",\"$ref\":\"#/x\"}", "s.properties[a].$ref: Forbidden: $ref is not supported")]
    [InlineData("\"a\":{\"type\":\"object\",\"patternProperties\":{\"x\":{\"type\":\"string\"}}}", "s.properties[a].patternProperties: Forbidden: patternProperties is not supported")]
    [InlineData("\"a\":{\"type\":\"string\",\"x-kubernetes-map-type\":\"atomic\"}", "s.properties[a].type: Invalid value: \"string\": must be object if x-kubernetes-map-type is specified")]
    [InlineData("\"a\":{\"type\":\"object\",\"x-kubernetes-map-type\":\"deep\"}", "s.properties[a].x-kubernetes-map-type: Unsupported value: \"deep\": supported values: \"atomic\", \"granular\"")]
    public void Every_value_has_a_type_and_no_word_that_cannot_be_pruned_by(string property, string error) => Assert.Contains(error, Errors(Root(property)));

    [Theory]
    [InlineData("\"x-kubernetes-list-map-keys\":[\"n\"]", "s.properties[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty")]
    [InlineData("\"x-kubernetes-list-type\":\"heap\"", "s.properties[a].x-kubernetes-list-type: Unsupported value: \"heap\": supported values: \"atomic\", \"map\", \"set\"")]
    [InlineData("\"x-kubernetes-list-type\":\"map\"", "s.properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map")]
    [InlineData("\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"z\"]", "s.properties[a].x-kubernetes-list-map-keys[0]: Invalid value: \"z\": entries must all be names of item properties")]
    [InlineData("\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"o\"]", "s.properties[a].items.properties[o].type: Invalid value: \"object\": must be a scalar type if parent array's x-kubernetes-list-type is map")]
    [InlineData("\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"u\"]", "s.properties[a].items.properties[u].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable")]
    [InlineData("\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"f\"]", "s.properties[a].items.properties[f].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property")]
    [InlineData("\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"n\",\"n\"]", "s.properties[a].x-kubernetes-list-map-keys[1]: Duplicate value: \"n\"")]
    [InlineData("\"x-kubernetes-list-type\":\"set\"", "s.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set")]
    [InlineData("\"x-kubernetes-list-type\":\"set\",\"x-kubernetes-list-map-keys\":[\"n\"]", "s.properties[a].x-kubernetes-list-map-keys: Forbidden: must be empty if x-kubernetes-list-type is not map")]
    public void Lists_that_merge_by_value_or_key_need_plain_ones(string more, string error) => Assert.Contains(error, Errors(Root(
        """
        "a":{"type":"array",MORE,"items":{"type":"object","required":["n","u","o"],"properties":{
          "n":{"type":"string"},"o":{"type":"object"},"u":{"type":"string","nullable":true},"f":{"type":"string"}}}}
        """.Replace("MORE", more, StringComparison.Ordinal))));

    [Theory]
    [InlineData("\"allOf\":[{\"type\":\"object\"}]", "s.allOf[0].type: Forbidden: must be empty to be structural")]
    [InlineData("\"anyOf\":[{\"properties\":{\"a\":{\"default\":\"x\"}}}]", "s.anyOf[0].properties[a].default: Forbidden: must be empty to be structural")]
    [InlineData("\"oneOf\":[{\"properties\":{\"z\":{\"minLength\":1}}}]", "s.properties[z]: Required value: because it is defined in s.oneOf[0].properties[z]")]
    [InlineData("\"not\":{\"anyOf\":[{\"description\":\"x\"}]}", "s.not.anyOf[0].description: Forbidden: must be empty to be structural")]
    [InlineData("\"not\":{\"properties\":{\"a\":{\"items\":{\"minLength\":1}}}}", "s.properties[a].items: Required value: because it is defined in s.not.properties[a].items")]
    [InlineData("\"anyOf\":[{\"x-kubernetes-preserve-unknown-fields\":true}]", "s.anyOf[0].x-kubernetes-preserve-unknown-fields: Forbidden: must be empty to be structural")]
    [InlineData("\"anyOf\":[{\"properties\":{\"a\":{\"pattern\":\"(\"}}}]", "s.anyOf[0].properties[a].pattern: Invalid value: \"(\": must be a valid regular expression")]
    public void Junctors_hold_validations_of_known_members_alone(string junctor, string error) =>
        Assert.Contains(Errors("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}," + junctor + "}"), found => found.StartsWith(error, StringComparison.Ordinal));

    [Theory]
    [InlineData("{\"type\":\"integer\",\"default\":\"x\"}", "s.properties[a].default: Invalid value: \"x\": Invalid value: \"string\":  in body must be of type integer: \"string\"")]
    [InlineData("{\"type\":\"integer\",\"maximum\":3,\"default\":4}", "s.properties[a].default: Invalid value: 4: Invalid value: 4:  in body should be less than or equal to 3")]
    [InlineData("{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"string\"}},\"default\":{\"z\":1}}", "s.properties[a].default: Invalid value: {\"z\":1}: must not have unknown fields: z")]
    [InlineData("{\"type\":\"string\",\"pattern\":\"[a-\"}", "s.properties[a].pattern: Invalid value: \"[a-\": must be a valid regular expression, but isn't: ")]
    public void Defaults_fit_their_own_schema_and_patterns_compile(string schema, string error) =>
        Assert.Contains(Errors(Root($"\"a\":{schema}")), found => found.StartsWith(error, StringComparison.Ordinal));

    [Fact]
    public void A_schema_that_is_wrong_everywhere_gives_a_bounded_answer()
    {
        var many = string.Join(',', Enumerable.Range(0, 500).Select(i => $"\"p{i}\":{{}}"));
        Assert.Equal(100, Errors(Root(many)).Count);
    }
}
