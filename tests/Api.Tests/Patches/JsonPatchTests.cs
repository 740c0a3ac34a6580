using System.Text.Json.Nodes;
using Weft.Api.Patches;

namespace Weft.Api.Tests.Patches;

public sealed class JsonPatchTests
{
    // The appendix of RFC 6902, and the corners its text names.
    [Theory]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux"}]""", """{"foo":"bar","baz":"qux"}""")]
    [InlineData("""{"foo":["bar","baz"]}""", """[{"op":"add","path":"/foo/1","value":"qux"}]""", """{"foo":["bar","qux","baz"]}""")]
    [InlineData("""{"foo":["bar"]}""", """[{"op":"add","path":"/foo/-","value":["abc"]}]""", """{"foo":["bar",["abc"]]}""")]
    [InlineData("""{"foo":["bar"]}""", """[{"op":"add","path":"/foo/1","value":1}]""", """{"foo":["bar",1]}""")]
    [InlineData("""{"baz":"qux","foo":"bar"}""", """[{"op":"remove","path":"/baz"}]""", """{"foo":"bar"}""")]
    [InlineData("""{"foo":["bar","qux","baz"]}""", """[{"op":"remove","path":"/foo/1"}]""", """{"foo":["bar","baz"]}""")]
    [InlineData("""{"baz":"qux"}""", """[{"op":"replace","path":"/baz","value":null}]""", """{"baz":null}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"replace","path":"/a/0","value":3}]""", """{"a":[3,2]}""")]
    [InlineData("""{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}""", """[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]""",
        """{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}""")]
    [InlineData("""{"foo":["all","grass","cows","eat"]}""", """[{"op":"move","from":"/foo/1","path":"/foo/3"}]""", """{"foo":["all","cows","eat","grass"]}""")]
    [InlineData("""{"a":{"b":1}}""", """[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/d","value":2}]""", """{"a":{"b":1},"c":{"b":1,"d":2}}""")]
    [InlineData("""{"/":9,"~1":10}""", """[{"op":"test","path":"/~01","value":10},{"op":"test","path":"/~1","value":9}]""", """{"/":9,"~1":10}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/a","value":1.0}]""", """{"a":1}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/missing","value":null}]""", """{"a":1}""")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"","value":[1]}]""", "[1]")]
    [InlineData("""{"foo":null}""", """[{"op":"add","path":"/foo","value":1,"xyz":2}]""", """{"foo":1}""")]
    [InlineData("""{"":1}""", """[{"op":"replace","path":"/","value":2}]""", """{"":2}""")]
    public void Applies(string target, string patch, string expected)
    {
        var tree = JsonNode.Parse(target);
        Assert.Equal(expected, JsonPatch.Apply(tree, JsonNode.Parse(patch))!.ToJsonString());
        Assert.Equal(target, tree!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"a":1}""", PatchFailure.Malformed, "must be an array")]
    [InlineData("""[1]""", PatchFailure.Malformed, "operation 0")]
    [InlineData("""[{"path":"/a","value":1}]""", PatchFailure.Malformed, "lacks \"op\"")]
    [InlineData("""[{"op":"add","value":1}]""", PatchFailure.Malformed, "lacks \"path\"")]
    [InlineData("""[{"op":"add","path":"/a"}]""", PatchFailure.Malformed, "lacks \"value\"")]
    [InlineData("""[{"op":"move","path":"/a"}]""", PatchFailure.Malformed, "lacks \"from\"")]
    [InlineData("""[{"op":"spam","path":"/a"}]""", PatchFailure.Malformed, "unexpected operation")]
    [InlineData("""[{"op":"add","path":"a","value":1}]""", PatchFailure.Malformed, "start with a slash")]
    [InlineData("""[{"op":"move","from":"/list","path":"/list/0"}]""", PatchFailure.Malformed, "into itself")]
    [InlineData("""[{"op":"remove","path":"/missing"}]""", PatchFailure.DoesNotApply, "missing path: \"/missing\"")]
    [InlineData("""[{"op":"replace","path":"/missing","value":1}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"add","path":"/missing/x","value":1}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"add","path":"/list/9","value":1}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"add","path":"/list/01","value":1}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"remove","path":"/list/-"}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"copy","from":"/nope","path":"/x"}]""", PatchFailure.DoesNotApply, "missing path")]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""", PatchFailure.DoesNotApply, "testing value /a failed")]
    public void Refuses(string patch, PatchFailure failure, string message)
    {
        var e = Assert.Throws<PatchException>(() => JsonPatch.Apply(JsonNode.Parse("""{"a":1,"list":[1,2]}"""), JsonNode.Parse(patch)));
        Assert.Equal(failure, e.Failure);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_more_than_ten_thousand_operations()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, 10_001).Select(_ => JsonNode.Parse("""{"op":"test","path":"/a","value":1}"""))]);
        var e = Assert.Throws<PatchException>(() => JsonPatch.Apply(JsonNode.Parse("""{"a":1}"""), patch));
        Assert.Equal(PatchFailure.TooLarge, e.Failure);
        Assert.Equal("The allowed maximum operations in a JSON patch is 10000, got 10001", e.Message);
    }

    [Fact]
    public void Copies_that_double_the_object_are_stopped()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, 60).Select(i => JsonNode.Parse($$"""{"op":"copy","from":"/a","path":"/a/k{{i}}"}"""))]);
        var e = Assert.Throws<PatchException>(() => JsonPatch.Apply(JsonNode.Parse("""{"a":{"x":"y"}}"""), patch));
        Assert.Equal(PatchFailure.TooLarge, e.Failure);
    }

    [Fact]
    public void Moves_cannot_make_an_object_too_deep()
    {
        static string Deep(string inner) => string.Concat(Enumerable.Repeat("""{"d":""", 40)) + inner + new string('}', 40);
        var tree = JsonNode.Parse("""{"a":""" + Deep("{}") + ""","b":""" + Deep("{}") + "}");
        var patch = new JsonArray(new JsonObject { ["op"] = "move", ["from"] = "/b", ["path"] = "/a" + string.Concat(Enumerable.Repeat("/d", 40)) + "/x" });
        Assert.Contains("deeper than 56 levels", Assert.Throws<PatchException>(() => JsonPatch.Apply(tree, patch)).Message, StringComparison.Ordinal);
    }
}
