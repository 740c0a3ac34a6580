using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class JsonTreeTests
{
    private static ParsedTree Parse(string text, TreeLimits? limits = null) => JsonTree.Parse(Encoding.UTF8.GetBytes(text), limits);

    private static string Write(JsonNode? tree) => Encoding.UTF8.GetString(JsonTree.WriteUtf8(tree));

    [Theory]
    [InlineData("""{"a":1,"b":[true,false,null,"x"],"c":{},"d":[],"e":""}""")]
    [InlineData("""{"n":[1.0,1e3,123456789012345678901234567890,-0,0.1]}""")]
    [InlineData("""{"text":"<a href='x'>&ünïcödé"}""")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("17")]
    public void Writes_what_it_read(string text) => Assert.Equal(text, Write(Parse(text).Root));

    [Fact]
    public void Numbers_answer_in_every_numeric_type()
    {
        var number = Parse("""{"replicas":3}""").Root!["replicas"]!;
        Assert.Equal(3, number.GetValue<int>());
        Assert.Equal(3L, number.GetValue<long>());
        Assert.Equal(3.0, number.GetValue<double>());
        Assert.Equal(3, number.AsInteger());
        Assert.Equal(3, JsonValue.Create(3).AsInteger());
        Assert.Equal(3, JsonValue.Create(3.0).AsInteger());
        Assert.Equal(0.5, JsonValue.Create(0.5f).AsNumber());
        Assert.Null(Parse("1.5").Root.AsInteger());
        Assert.True(JsonNode.DeepEquals(Parse("1").Root, JsonValue.Create(1)));
        Assert.True(JsonNode.DeepEquals(Parse("1.0").Root, Parse("1").Root));
    }

    [Fact]
    public void Lists_duplicate_keys_by_path_and_takes_the_last()
    {
        var parsed = Parse("""{"spec":{"containers":[{"name":"a"},{"image":"x","image":"y","image":"z"}]},"spec2":[[{"k":1,"k":2}]],"kind":"A","kind":"B"}""");
        Assert.Equal(["spec.containers[1].image", "spec2[0][0].k", "kind"], parsed.Duplicates);
        Assert.Equal("z", parsed.Root!["spec"]!["containers"]![1]!["image"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("{\n  \"a\": 1,\n  \"b\": }", 3, "invalid JSON")]
    [InlineData("", 1, "invalid JSON")]
    [InlineData("{} {}", 1, "invalid JSON")]
    [InlineData("{\"a\":\n\"\\ud800\"}", 2, "surrogate")]
    public void Says_where_the_text_is_wrong(string text, long line, string problem)
    {
        var e = Assert.Throws<TreeException>(() => Parse(text));
        Assert.Equal(line, e.Line);
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
        Assert.Contains($"(line {line}, column ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_bytes_that_are_no_text()
    {
        var e = Assert.Throws<TreeException>(() => JsonTree.Parse([(byte)'"', 0xff, (byte)'"']));
        Assert.Contains("UTF-8", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"a\":", "}")]
    public void Ten_thousand_levels_are_an_error_not_a_crash(string open, string close)
    {
        var text = string.Concat(Enumerable.Repeat(open, 10_000)) + "1" + string.Concat(Enumerable.Repeat(close, 10_000));
        var e = Assert.Throws<TreeException>(() => Parse(text));
        Assert.Contains("nested deeper than 56 levels", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_deepest_allowed_tree_can_be_read_copied_and_written()
    {
        var text = string.Concat(Enumerable.Repeat("[", 56)) + string.Concat(Enumerable.Repeat("]", 56));
        Assert.Equal(text, Write(Parse(text).Root!.DeepClone()));
    }

    [Fact]
    public void Three_megabytes_of_brackets_stay_bounded()
    {
        var text = "[" + string.Concat(Enumerable.Repeat("[],", 1_000_000)) + "1]";
        var before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<TreeException>(() => Parse(text));
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains("more than 400000 values", e.Message, StringComparison.Ordinal);
        Assert.True(allocated < 8_000_000, $"{allocated} bytes for a body that is refused");
    }

    [Fact]
    public void A_document_of_numbers_costs_little_more_than_its_nodes()
    {
        var utf8 = Encoding.UTF8.GetBytes("[" + string.Join(',', Enumerable.Range(0, 300_000)) + "]");
        var before = GC.GetAllocatedBytesForCurrentThread();
        JsonTree.Parse(utf8);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 60_000_000, $"{allocated} bytes");
    }
}
