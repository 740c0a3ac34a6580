using System.Text.Json.Nodes;
using Weft.Api.Apply;
using Weft.Api.Tests.Trees;

namespace Weft.Api.Tests.Apply;

public sealed class FieldSetTests
{
    private static FieldSet Set(string json) => FieldsV1.Read(JsonNode.Parse(json));

    private static string Json(FieldSet set) => FieldsV1.Write(set).ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"f:spec":{"f:replicas":{}}}""")]
    [InlineData("""{"f:metadata":{"f:annotations":{".":{},"f:a/b":{}},"f:finalizers":{".":{},"v:\"x\"":{},"v:\"y\"":{}}}}""")]
    [InlineData("""{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}},"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{}, "f:name":{}}}}}""")]
    [InlineData("""{"f:list":{"v:1":{},"v:2.5":{},"v:10":{},"v:\"1\"":{},"v:true":{},"i:0":{},"i:2":{},"i:10":{}}}""")]
    public void Fields_V1_reads_and_writes_the_canonical_form(string json) => Assert.Equal(json.Replace(" ", "", StringComparison.Ordinal), Json(Set(json)));

    [Fact]
    public void Writes_steps_in_canonical_order_whatever_order_they_came_in() =>
        Assert.Equal("""{"f:a":{},"f:b":{},"k:{\"a\":1,\"b\":\"x\"}":{},"v:9":{},"v:10":{},"i:3":{}}""",
            Json(Set("""{"i:3":{},"v:10":{},"f:b":{},"k:{\"b\":\"x\",\"a\":1}":{},"f:a":{},"v:9":{}}""")));

    [Fact]
    public void Leaves_out_steps_of_an_unknown_kind() => Assert.Equal("""{"f:a":{}}""", Json(Set("""{"f:a":{},"z:new":{"f:b":{}}}""")));

    [Theory]
    [InlineData("""{"nonsense":{}}""")]
    [InlineData("""{"k:[1]":{}}""")]
    [InlineData("""{"k:{":{}}""")]
    [InlineData("""{"i:x":{}}""")]
    [InlineData("""{"f:a":1}""")]
    [InlineData("[]")]
    public void Refuses_what_is_no_field_set(string json) => Assert.Throws<FieldsException>(() => Set(json));

    [Fact]
    public void Prints_paths_as_conflicts_do() =>
        Assert.Equal(".spec.ports[port=80,protocol=\"TCP\"]\n.spec.ports[port=80,protocol=\"TCP\"].name\n.tags[=\"x\"]\n.z[0]",
            Set("""{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}},"f:tags":{"v:\"x\"":{}},"f:z":{"i:0":{}}}""").ToString());

    [Fact]
    public void Set_operations()
    {
        var a = Set("""{"f:a":{".":{},"f:x":{},"f:y":{}},"f:b":{}}""");
        var b = Set("""{"f:a":{".":{},"f:y":{}},"f:c":{}}""");
        Assert.Equal("""{"f:a":{".":{},"f:x":{},"f:y":{}},"f:b":{},"f:c":{}}""", Json(a.Union(b)));
        Assert.Equal("""{"f:a":{".":{},"f:y":{}}}""", Json(a.Intersection(b)));
        Assert.Equal("""{"f:a":{"f:x":{}},"f:b":{}}""", Json(a.Difference(b)));
        Assert.Equal("""{"f:b":{}}""", Json(a.RecursiveDifference(b)));
        Assert.Equal("""{"f:a":{"f:x":{},"f:y":{}},"f:b":{}}""", Json(a.Leaves()));
        Assert.True(a.Contains([PathElement.Field("a"), PathElement.Field("x")]));
        Assert.False(a.Contains([PathElement.Field("a"), PathElement.Field("z")]));
        Assert.Equal(a, Set(Json(a)));
        Assert.NotEqual(a, b);
        Assert.True(a.Difference(a).IsEmpty);
    }

    // Laws that hold for any sets, on 300 random ones.
    [Fact]
    public void Set_operations_keep_their_laws()
    {
        var random = new Random(17);
        for (var i = 0; i < 300; i++)
        {
            var (a, b, c) = (RandomSet(random, 3), RandomSet(random, 3), RandomSet(random, 3));
            Assert.Equal(a.Union(b), b.Union(a));
            Assert.Equal(a.Union(b).Union(c), a.Union(b.Union(c)));
            Assert.Equal(a.Intersection(b), b.Intersection(a));
            Assert.Equal(a, a.Union(a));
            Assert.Equal(a, a.Intersection(a));
            Assert.True(a.Difference(b).Intersection(b).IsEmpty);
            Assert.Equal(a, a.Difference(b).Union(a.Intersection(b)));
            Assert.Equal(a, Set(Json(a)));
            Assert.Equal(a.Paths().Count(), a.Union(a).Paths().Count());
            Assert.Equal(a, a.Paths().Aggregate(FieldSet.Empty, (set, path) => set.Union(FieldSet.Of([path]))));
        }
    }

    private static FieldSet RandomSet(Random random, int depth)
    {
        var set = FieldSet.Empty;
        for (var n = random.Next(6); n >= 0; n--)
            set = set.Union(FieldSet.Of([[.. Enumerable.Range(0, 1 + random.Next(depth)).Select(_ => RandomElement(random))]]));
        return set;
    }

    private static PathElement RandomElement(Random random) => random.Next(5) switch
    {
        0 => PathElement.Index(random.Next(3)),
        1 => PathElement.Value(JsonValue.Create(random.Next(3))),
        2 => PathElement.Key([new("name", JsonValue.Create("n" + random.Next(3))), new("port", JsonValue.Create(random.Next(2)))]),
        _ => PathElement.Field("f" + random.Next(4)),
    };

    [Fact]
    public void Splits_a_tree_into_its_fields()
    {
        var tree = Shape.Tree("""
            {"metadata":{"labels":{"a":"1"},"annotations":{},"finalizers":["x"]},
             "spec":{"replicas":1,"selector":{"matchLabels":{"a":"1"}},
              "template":{"spec":{"tolerations":[{"key":"k"}],"nodeSelector":{"a":"b"},"volumes":[{"name":"v","emptyDir":{}}],
              "containers":[{"name":"web","args":["x"],"ports":[{"containerPort":80},{"containerPort":80,"protocol":"UDP"}],"env":[]}]}}}}
            """);
        Assert.Equal("""
            {"f:metadata":{"f:annotations":{},"f:finalizers":{"v:\"x\"":{}},"f:labels":{"f:a":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:args":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}},"k:{\"containerPort\":80,\"protocol\":\"UDP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}}}},"f:nodeSelector":{},"f:tolerations":{},"f:volumes":{"k:{\"name\":\"v\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}}}
            """.Trim(), Json(TypedTree.Fields(tree, Shape.Deployment)));
    }
}
