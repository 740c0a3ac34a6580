using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class DefaulterTests
{
    private static readonly Schema Port = Shape.Object(("port", Shape.Whole), ("protocol", new() { Type = SchemaType.String, Default = JsonValue.Create("TCP") }));

    private static readonly Schema Root = Shape.Object(
        ("ports", Shape.Atomic(Port)),
        ("named", new() { Type = SchemaType.Object, AdditionalProperties = Port }),
        ("policy", new() { Type = SchemaType.Object, Default = new JsonObject(), PropertiesFactory = Shape.Members(("mode", new() { Type = SchemaType.String, Default = JsonValue.Create("strict") })) }),
        ("maybe", new() { Type = SchemaType.String, Nullable = true, Default = JsonValue.Create("d") }),
        ("deep", Shape.Object(("inner", new() { Type = SchemaType.Integer, Default = JsonValue.Create(1) }))));

    [Theory]
    [InlineData("{}", """{"policy":{"mode":"strict"},"maybe":"d"}""")]
    [InlineData("""{"policy":{"mode":"loose"},"maybe":null}""", """{"policy":{"mode":"loose"},"maybe":null}""")]
    [InlineData("""{"policy":null,"maybe":"x"}""", """{"policy":{"mode":"strict"},"maybe":"x"}""")]
    [InlineData("""{"policy":{"mode":null},"maybe":"x"}""", """{"policy":{"mode":"strict"},"maybe":"x"}""")]
    [InlineData("""{"maybe":"x","policy":{},"ports":[{"port":1},{"port":2,"protocol":"UDP"}],"named":{"a":{"port":3}},"deep":{}}""",
        """{"maybe":"x","policy":{"mode":"strict"},"ports":[{"port":1,"protocol":"TCP"},{"port":2,"protocol":"UDP"}],"named":{"a":{"port":3,"protocol":"TCP"}},"deep":{"inner":1}}""")]
    public void Sets_what_is_absent(string tree, string expected)
    {
        var node = Shape.Tree(tree);
        Defaulter.Apply(node, Root);
        Assert.True(JsonNode.DeepEquals(Shape.Tree(expected), node), node.ToJsonString());
        Assert.False(Defaulter.Apply(node, Root));
    }
}
