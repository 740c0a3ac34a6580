using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class StructuralValidatorTests
{
    private static IEnumerable<string> Errors(string json, Schema schema, string? old = null, bool checkListKeys = true) =>
        StructuralValidator.Validate(JsonNode.Parse(json), schema, old is null ? null : JsonNode.Parse(old), checkListKeys).Select(e => e.ToString());

    private static Schema Field(Schema schema) => Shape.Object(("spec", Shape.Object(("f", schema))));

    private static void Is(string value, Schema schema, params string[] expected) => Assert.Equal(expected, Errors("""{"spec":{"f":""" + value + "}}", Field(schema)));

    [Fact]
    public void Types()
    {
        Is("\"x\"", Shape.Text);
        Is("1", Shape.Text, "spec.f: Invalid value: \"integer\": spec.f in body must be of type string: \"integer\"");
        Is("\"1\"", Shape.Whole, "spec.f: Invalid value: \"string\": spec.f in body must be of type integer: \"string\"");
        Is("1.0", Shape.Whole);
        Is("1.5", Shape.Whole, "spec.f: Invalid value: \"number\": spec.f in body must be of type integer: \"number\"");
        Is("null", Shape.Whole, "spec.f: Invalid value: \"null\": spec.f in body must be of type integer: \"null\"");
        Is("null", new() { Type = SchemaType.Integer, Nullable = true });
        Is("[]", Shape.Object(), "spec.f: Invalid value: \"array\": spec.f in body must be of type object: \"array\"");
        Is("\"50%\"", new() { IntOrString = true });
        Is("5", new() { IntOrString = true });
        Is("true", new() { IntOrString = true }, "spec.f: Invalid value: \"boolean\": spec.f in body must be of type integer or string: \"boolean\"");
        Is("0.5", new() { Type = SchemaType.String, Format = "quantity" });
        Is("{\"a\":1}", Shape.Labels, "spec.f[a]: Invalid value: \"integer\": spec.f[a] in body must be of type string: \"integer\"");
    }

    [Fact]
    public void Values()
    {
        Is("\"c\"", new() { Type = SchemaType.String, Enum = [JsonValue.Create("a"), JsonValue.Create("b")] }, "spec.f: Unsupported value: \"c\": supported values: \"a\", \"b\"");
        Is("0", new() { Type = SchemaType.Integer, Minimum = 1 }, "spec.f: Invalid value: 0: spec.f in body should be greater than or equal to 1");
        Is("1", new() { Type = SchemaType.Integer, Minimum = 1, ExclusiveMinimum = true }, "spec.f: Invalid value: 1: spec.f in body should be greater than 1");
        Is("10", new() { Type = SchemaType.Integer, Maximum = 9.5 }, "spec.f: Invalid value: 10: spec.f in body should be less than or equal to 9.5");
        Is("3", new() { Type = SchemaType.Integer, MultipleOf = 2 }, "spec.f: Invalid value: 3: spec.f in body should be a multiple of 2");
        Is("0.3", new() { Type = SchemaType.Number, MultipleOf = 0.1 });
        Is("3000000000", new() { Type = SchemaType.Integer, Format = "int32" }, "spec.f: Invalid value: 3000000000: spec.f in body must be of type int32: 3000000000");
        Is("\"ab\"", new() { Type = SchemaType.String, MinLength = 3 }, "spec.f: Invalid value: \"ab\": spec.f in body should be at least 3 chars long");
        Is("\"üüü\"", new() { Type = SchemaType.String, MinLength = 3, MaxLength = 3 });
        Is("\"abcd\"", new() { Type = SchemaType.String, MaxLength = 3 }, "spec.f: Too long: may not be more than 3 bytes");
        Is("\"b1\"", new() { Type = SchemaType.String, Pattern = "^a[0-9]$" }, "spec.f: Invalid value: \"b1\": spec.f in body should match '^a[0-9]$'");
        Is("[]", new() { Type = SchemaType.Array, MinItems = 1 }, "spec.f: Invalid value: []: spec.f in body should have at least 1 items");
        Is("[1,2]", new() { Type = SchemaType.Array, MaxItems = 1 }, "spec.f: Too many: 2: must have at most 1 items");
        Is("{}", new() { Type = SchemaType.Object, MinProperties = 1 }, "spec.f: Invalid value: {}: spec.f in body should have at least 1 properties");
        Is("{\"a\":1,\"b\":2}", new() { Type = SchemaType.Object, MaxProperties = 1 }, "spec.f: Too many: 2: must have at most 1 items");
    }

    [Theory]
    [InlineData("date-time", "2024-02-29T01:02:03Z", "2024-02-30T01:02:03Z")]
    [InlineData("date-time", "2024-01-01T01:02:03.123+02:00", "2024-01-01")]
    [InlineData("date", "2024-01-01", "2024-13-01")]
    [InlineData("duration", "1h30m", "1 hour")]
    [InlineData("duration", "-1.5s", "")]
    [InlineData("ipv4", "10.0.0.1", "10.0.1")]
    [InlineData("ipv6", "fe80::1", "10.0.0.1")]
    [InlineData("cidr", "10.0.0.0/8", "10.0.0.0/33")]
    [InlineData("mac", "01:23:45:67:89:ab", "01:23")]
    [InlineData("uri", "https://example.com/x", "not a uri")]
    [InlineData("email", "a@example.com", "a")]
    [InlineData("hostname", "example.com", "exa_mple!")]
    [InlineData("uuid", "123e4567-e89b-12d3-a456-426614174000", "123")]
    [InlineData("byte", "aGVsbG8=", "a")]
    public void Formats(string format, string good, string bad)
    {
        var schema = new Schema { Type = SchemaType.String, Format = format };
        Is($"\"{good}\"", schema);
        Is($"\"{bad}\"", schema, $"spec.f: Invalid value: \"{bad}\": spec.f in body must be of type {format}: \"{bad}\"");
    }

    [Theory]
    [InlineData(@"^\d+$", "12", true)]
    [InlineData(@"^\d+$", "12\n", false)]
    [InlineData(@"^(?P<x>a|b)c$", "bc", true)]
    [InlineData("^[[:alpha:]_]+$", "ab_", true)]
    [InlineData("^[[:alpha:]_]+$", "a1", false)]
    [InlineData("[$]", "$", true)]
    [InlineData(@"\$x", "a$x", true)]
    [InlineData("^[^]]$", "a", true)]
    [InlineData("^[a-[]$", "[", null)]
    [InlineData("(?=look)x", "x", null)]
    [InlineData("(", "x", null)]
    public void Patterns_are_read_as_Go_reads_them(string pattern, string text, bool? matches) => Assert.Equal(matches, new PatternMatcher(pattern).Matches(text));

    [Fact]
    public void A_pattern_that_would_backtrack_for_ever_is_linear()
    {
        Assert.False(new PatternMatcher("^(a+)+$").Matches(new string('a', 50_000) + "!"));
    }

    [Fact]
    public void Lists_with_keys_refuse_repetition()
    {
        var set = Field(Shape.Set(Shape.Text));
        Assert.Equal(["spec.f[2]: Duplicate value: \"a\""], Errors("""{"spec":{"f":["a","b","a"]}}""", set));
        var ports = Field(Shape.Deployment.Properties["spec"].Properties["template"].Properties["spec"].Properties["containers"].Items!.Properties["ports"]);
        Assert.Equal(["spec.f[1]: Duplicate value: {\"containerPort\":80,\"protocol\":\"TCP\"}"],
            Errors("""{"spec":{"f":[{"containerPort":80},{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"UDP"}]}}""", ports));
        Assert.Empty(Errors("""{"spec":{"f":["a","a"]}}""", set, checkListKeys: false));
    }

    [Fact]
    public void Combinations()
    {
        var small = new Schema { Maximum = 5 };
        var big = new Schema { Minimum = 3 };
        Is("4", new() { Type = SchemaType.Integer, AllOf = [small, big], AnyOf = [small], Not = new() { Enum = [JsonValue.Create(7)] } });
        Is("9", new() { Type = SchemaType.Integer, AllOf = [small, big] },
            "spec.f: Invalid value: 9: spec.f in body should be less than or equal to 5", "spec.f: Invalid value: 9: \"spec.f\" must validate all the schemas (allOf)");
        Is("9", new() { Type = SchemaType.Integer, AnyOf = [small, new() { Maximum = 6 }] }, "spec.f: Invalid value: 9: \"spec.f\" must validate at least one schema (anyOf)");
        Is("4", new() { Type = SchemaType.Integer, OneOf = [small, big] }, "spec.f: Invalid value: 4: \"spec.f\" must validate one and only one schema (oneOf). Found 2 valid alternatives");
        Is("9", new() { Type = SchemaType.Integer, OneOf = [small] }, "spec.f: Invalid value: 9: \"spec.f\" must validate one and only one schema (oneOf). Found none valid");
        Is("9", new() { Type = SchemaType.Integer, Not = big }, "spec.f: Invalid value: 9: \"spec.f\" must not validate the schema (not)");
        Is("{\"a\":1}", new() { Type = SchemaType.Object, OneOf = [new() { Required = ["a"] }, new() { Required = ["b"] }] });
    }

    [Fact]
    public void All_errors_are_reported_at_once()
    {
        var schema = new Schema { Type = SchemaType.Object, Required = ["spec", "kind"], PropertiesFactory = Shape.Members(("spec", Shape.Object(("a", Shape.Whole), ("b", Shape.Flag)))) };
        Assert.Equal(3, Errors("""{"spec":{"a":"x","b":"y"}}""", schema).Count());
        Assert.Contains("kind: Required value", Errors("""{"spec":{"a":"x","b":"y"}}""", schema));
    }

    [Fact]
    public void Immutable_fields_may_not_change_also_inside_keyed_lists()
    {
        var frozen = new Schema { Type = SchemaType.String, Immutable = true };
        var schema = Shape.Object(("a", frozen), ("list", Shape.Map(Shape.Object(("name", Shape.Text), ("kind", frozen)), "name")));
        Assert.Empty(Errors("""{"a":"1"}""", schema));
        Assert.Empty(Errors("""{"a":"1"}""", schema, """{"a":"1"}"""));
        Assert.Equal(["a: Invalid value: \"2\": field is immutable"], Errors("""{"a":"2"}""", schema, """{"a":"1"}"""));
        Assert.Equal(["a: Invalid value: \"2\": field is immutable"], Errors("""{"a":"2"}""", schema, "{}"));
        Assert.Equal(["a: Invalid value: null: field is immutable"], Errors("{}", schema, """{"a":"1"}"""));
        Assert.Equal(["list[1].kind: Invalid value: \"y\": field is immutable"],
            Errors("""{"list":[{"name":"new","kind":"q"},{"name":"n","kind":"y"}]}""", schema, """{"list":[{"name":"n","kind":"x"}]}"""));
    }
}
