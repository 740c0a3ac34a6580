using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class YamlTreeTests
{
    private static string Json(string yaml) => Encoding.UTF8.GetString(JsonTree.WriteUtf8(YamlTree.Parse(yaml).Root));

    [Theory]
    [InlineData("a: yes\nb: no\nc: on\nd: Off\ne: y\nf: N\ng: True", """{"a":true,"b":false,"c":true,"d":false,"e":true,"f":false,"g":true}""")]
    [InlineData("a: ~\nb:\nc: null\nd: NULL\ne: \"\"", """{"a":null,"b":null,"c":null,"d":null,"e":""}""")]
    [InlineData("a: 0x1F\nb: 010\nc: 0b11\nd: 0o17\ne: 1_000\nf: +5\ng: -7", """{"a":31,"b":8,"c":3,"d":15,"e":1000,"f":5,"g":-7}""")]
    [InlineData("a: 1.5\nb: .5\nc: 1e3\nd: 1.2.3\ne: 08\nf: 09", """{"a":1.5,"b":0.5,"c":1000,"d":"1.2.3","e":8,"f":9}""")]
    [InlineData("a: 2001-01-01\nb: 12:30:45\nc: 2001-01-01T00:00:00Z", """{"a":"2001-01-01","b":"12:30:45","c":"2001-01-01T00:00:00Z"}""")]
    [InlineData("a: 'yes'\nb: \"1\"\nc: !!str 1\nd: '~'\ne: ! 5", """{"a":"yes","b":"1","c":"1","d":"~","e":"5"}""")]
    [InlineData("80: a\nyes: b\n1.5: c\n~: d\n'yes ': e", """{"80":"a","true":"b","1.5":"c","null":"d","yes ":"e"}""")]
    [InlineData("- 1\n-\n  - a\n  - {b: [c, d]}", """[1,["a",{"b":["c","d"]}]]""")]
    [InlineData("text: |\n  one\n  two\nfold: >-\n  a\n  b", """{"text":"one\ntwo\n","fold":"a b"}""")]
    [InlineData("a: &x {b: 1}\nc: *x\nd: [*x, *x]", """{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]}""")]
    [InlineData("base: &b {x: 1, z: 2}\nuse:\n  <<: *b\n  z: 3", """{"base":{"x":1,"z":2},"use":{"x":1,"z":3}}""")]
    [InlineData("use:\n  q: 3\n  <<: [{x: 1, q: 1}, {x: 2, z: 4}]", """{"use":{"q":3,"x":1,"z":4}}""")]
    [InlineData("{\"a\": [1, 2.50], \"b\": \"\\u00fc\"}", """{"a":[1,2.5],"b":"ü"}""")]
    [InlineData("", "null")]
    [InlineData("# only a comment\n", "null")]
    public void Reads_as_kubectl_reads(string yaml, string json) => Assert.Equal(json, Json(yaml));

    [Fact]
    public void Reads_several_documents_and_leaves_out_empty_ones()
    {
        var all = YamlTree.ParseAll("# head\n---\na: 1\n---\n---\nb: 2\n...\n---\n# nothing\n");
        Assert.Equal(["""{"a":1}""", """{"b":2}"""], all.Select(d => d.Root!.ToJsonString()));
        Assert.Throws<TreeException>(() => YamlTree.Parse("a: 1\n---\nb: 2"));
    }

    [Fact]
    public void Lists_duplicate_keys_by_path_and_takes_the_last()
    {
        var parsed = YamlTree.Parse("spec:\n  containers:\n  - image: a\n    image: b\nkind: A\nkind: B\n");
        Assert.Equal(["spec.containers[0].image", "kind"], parsed.Duplicates);
        Assert.Equal("B", parsed.Root!["kind"]!.GetValue<string>());
    }

    [Fact]
    public void An_alias_bomb_is_an_error()
    {
        var yaml = new StringBuilder("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
        for (var c = 'b'; c <= 'i'; c++)
            yaml.Append(c).Append(": &").Append(c).Append(" [").Append(string.Join(", ", Enumerable.Repeat("*" + (char)(c - 1), 10))).Append("]\n");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<TreeException>(() => YamlTree.Parse(yaml.ToString()));
        Assert.Contains("aliases expand to more than 50000 values", e.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 40_000_000);
    }

    [Fact]
    public void A_merge_key_bomb_is_an_error()
    {
        var yaml = new StringBuilder("a: &a {").Append(string.Join(", ", Enumerable.Range(0, 2000).Select(i => $"k{i}: 1"))).Append("}\nb:\n");
        for (var i = 0; i < 100; i++)
            yaml.Append("- <<: *a\n");
        Assert.Contains("aliases expand", Assert.Throws<TreeException>(() => YamlTree.Parse(yaml.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_levels_are_an_error_not_a_crash()
    {
        var flow = new string('[', 10_000) + new string(']', 10_000);
        Assert.Contains("nested deeper", Assert.Throws<TreeException>(() => YamlTree.Parse(flow)).Message, StringComparison.Ordinal);
        var block = string.Concat(Enumerable.Range(0, 2_000).Select(i => new string(' ', i) + "a:\n"));
        Assert.Contains("nested deeper", Assert.Throws<TreeException>(() => YamlTree.Parse(block)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_cannot_build_what_is_too_deep()
    {
        var yaml = new StringBuilder("a0: &a0 [1]\n");
        for (var i = 1; i < 400; i++)
            yaml.Append($"a{i}: &a{i} [*a{i - 1}]\n");
        Assert.Contains("nested deeper", Assert.Throws<TreeException>(() => YamlTree.Parse(yaml.ToString())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: *nowhere", "nowhere")]
    [InlineData("a: [1", "invalid YAML")]
    [InlineData("a: .inf", "cannot be written as JSON")]
    [InlineData("a: !custom x", "tag")]
    [InlineData("? [a]\n: b", "key must be a scalar")]
    [InlineData("a: &x [*x]", "x")]
    [InlineData("a: b: c", "invalid YAML")]
    public void Says_what_is_wrong_and_where(string yaml, string problem)
    {
        var e = Assert.Throws<TreeException>(() => YamlTree.Parse(yaml));
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
        Assert.InRange(e.Line, 1, 2);
    }

    [Fact]
    public void Writes_in_the_style_of_kubectl()
    {
        var tree = JsonNode.Parse("""
            {"apiVersion":"v1","metadata":{"labels":{"app":"web","n":"1","b":"yes"},"annotations":{}},
             "spec":{"ports":[{"port":80,"name":"http"},{"port":443}],"args":["-c","a: b","","#x"," lead"],"empty":[],"nothing":null,
             "script":"set -e\necho hi\n","nested":[[1,2],[3]],"date":"2024-01-01","quote":"it's","tab":"a\tb"}}
            """);
        Assert.Equal("""
            apiVersion: v1
            metadata:
              labels:
                app: web
                "n": "1"
                b: "yes"
              annotations: {}
            spec:
              ports:
              - port: 80
                name: http
              - port: 443
              args:
              - -c
              - 'a: b'
              - ""
              - '#x'
              - ' lead'
              empty: []
              nothing: null
              script: |
                set -e
                echo hi
              nested:
              - - 1
                - 2
              - - 3
              date: "2024-01-01"
              quote: it's
              tab: "a\tb"

            """, YamlTree.Write(tree));
    }
}
