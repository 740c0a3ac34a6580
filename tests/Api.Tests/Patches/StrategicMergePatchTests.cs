using System.Text.Json.Nodes;
using Weft.Api.Patches;
using Weft.Api.Tests.Trees;

namespace Weft.Api.Tests.Patches;

public sealed class StrategicMergePatchTests
{
    private static string Apply(string current, string patch)
    {
        var (tree, change) = (Shape.Tree(current), Shape.Tree(patch));
        var result = StrategicMergePatch.Apply(tree, change, Shape.Deployment).ToJsonString();
        Assert.Equal(Shape.Tree(current).ToJsonString(), tree.ToJsonString());
        Assert.Equal(Shape.Tree(patch).ToJsonString(), change.ToJsonString());
        return result;
    }

    // Current and patch of `spec.template.spec`, where the lists are.
    private static string ApplyPod(string current, string patch)
    {
        var result = JsonNode.Parse(Apply(Wrap(current), Wrap(patch)));
        return result!["spec"]!["template"]!["spec"]!.ToJsonString();
    }

    private static string Wrap(string pod) => """{"spec":{"template":{"spec":""" + pod + "}}}";

    [Theory]
    [InlineData("""{"spec":{"replicas":1,"paused":true}}""", """{"spec":{"replicas":2,"paused":null}}""", """{"spec":{"replicas":2}}""")]
    [InlineData("""{"metadata":{"labels":{"a":"1","b":"2"}}}""", """{"metadata":{"labels":{"a":null,"c":"3"}}}""", """{"metadata":{"labels":{"b":"2","c":"3"}}}""")]
    [InlineData("{}", """{"metadata":{"labels":{"a":null,"c":"3"}}}""", """{"metadata":{"labels":{"c":"3"}}}""")]
    [InlineData("""{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}}""", """{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}""",
        """{"spec":{"strategy":{"type":"Recreate"}}}""")]
    [InlineData("""{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}}""", """{"spec":{"strategy":{"$patch":"replace","type":"Recreate"}}}""",
        """{"spec":{"strategy":{"type":"Recreate"}}}""")]
    [InlineData("""{"spec":{"strategy":{"type":"RollingUpdate"},"replicas":1}}""", """{"spec":{"strategy":{"$patch":"delete"}}}""", """{"spec":{"strategy":{},"replicas":1}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b"]}}""", """{"metadata":{"finalizers":["b","c"]}}""", """{"metadata":{"finalizers":["a","b","c"]}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b","c"]}}""", """{"metadata":{"$deleteFromPrimitiveList/finalizers":["a","zz"]}}""", """{"metadata":{"finalizers":["b","c"]}}""")]
    [InlineData("""{"metadata":{"finalizers":["a","b","c"]}}""",
        """{"metadata":{"$setElementOrder/finalizers":["d","b"],"$deleteFromPrimitiveList/finalizers":["c"],"finalizers":["d"]}}""", """{"metadata":{"finalizers":["d","a","b"]}}""")]
    [InlineData("""{"metadata":{"name":"x"}}""", """{"metadata":{"$deleteFromPrimitiveList/finalizers":["c"]}}""", """{"metadata":{"name":"x"}}""")]
    [InlineData("""{"spec":{"replicas":1}}""", """{"spec":{"replicas":{"odd":1}}}""", """{"spec":{"replicas":{"odd":1}}}""")]
    [InlineData("""{"spec":{"unknown":[1],"other":{"a":1}}}""", """{"spec":{"unknown":[2],"other":{"b":2}}}""", """{"spec":{"unknown":[2],"other":{"a":1,"b":2}}}""")]
    public void Merges_objects_and_sets(string current, string patch, string expected) => Assert.Equal(expected, Apply(current, patch));

    [Theory]
    // An item that exists is merged in place; a new one comes first, as it does in Kubernetes (the patch's items before those only the server has).
    [InlineData("""{"containers":[{"name":"a","image":"1","args":["x","y"]},{"name":"b","image":"1"}]}""", """{"containers":[{"name":"b","image":"2"}]}""",
        """{"containers":[{"name":"a","image":"1","args":["x","y"]},{"name":"b","image":"2"}]}""")]
    [InlineData("""{"containers":[{"name":"a","args":["x","y"]}]}""", """{"containers":[{"name":"a","args":["z"]}]}""", """{"containers":[{"name":"a","args":["z"]}]}""")]
    [InlineData("""{"containers":[{"name":"a","image":"1"}]}""", """{"containers":[{"name":"c","image":"3","args":null}]}""",
        """{"containers":[{"name":"c","image":"3"},{"name":"a","image":"1"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"containers":[{"$patch":"delete","name":"a"}]}""", """{"containers":[{"name":"b"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"containers":[{"$patch":"replace"},{"name":"c"}]}""", """{"containers":[{"name":"c"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"containers":[{"name":"a","$patch":"replace"}]}""", """{"containers":[]}""")]
    [InlineData("""{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}""",
        """{"containers":[{"name":"a","env":[{"name":"Y","value":"3"},{"name":"X","$patch":"delete"}]}]}""", """{"containers":[{"name":"a","env":[{"name":"Y","value":"3"}]}]}""")]
    [InlineData("""{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}""", """{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"http"}]}]}""",
        """{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP","name":"http"}]}]}""")]
    [InlineData("""{"tolerations":[{"key":"a"}]}""", """{"tolerations":[{"key":"b"}]}""", """{"tolerations":[{"key":"b"}]}""")]
    [InlineData("""{"tolerations":[{"key":"a"}]}""", """{"tolerations":null}""", "{}")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":[]}""", """{"containers":[{"name":"a"}]}""")]
    [InlineData("{}", """{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","$setElementOrder/env":[{"name":"X"}],"env":[{"name":"X"},{"name":"Y","$patch":"delete"}]}]}""",
        """{"containers":[{"name":"a","env":[{"name":"X"}]}]}""")]
    // $setElementOrder: the named items take its order, the server's own keep their place.
    [InlineData("""{"containers":[{"name":"a"},{"name":"side"},{"name":"b"}]}""", """{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"a","image":"2"}]}""",
        """{"containers":[{"name":"side"},{"name":"b"},{"name":"a","image":"2"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}""", """{"containers":[{"name":"b"},{"name":"a"}]}""")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b"}]}""", """{"$setElementOrder/containers":[{"name":"c"},{"name":"b"}],"containers":[{"name":"c"},{"name":"a","$patch":"delete"}]}""",
        """{"containers":[{"name":"c"},{"name":"b"}]}""")]
    [InlineData("""{"volumes":[{"name":"v","emptyDir":{}}]}""", """{"volumes":[{"$retainKeys":["name","configMap"],"name":"v","configMap":{"name":"c"}}]}""",
        """{"volumes":[{"name":"v","configMap":{"name":"c"}}]}""")]
    [InlineData("""{"volumes":[{"name":"v","emptyDir":{}}]}""", """{"$setElementOrder/volumes":[{"name":"v"}],"volumes":[{"configMap":{"name":"c"},"emptyDir":null,"name":"v"}]}""",
        """{"volumes":[{"name":"v","configMap":{"name":"c"}}]}""")]
    public void Merges_lists_by_key(string current, string patch, string expected) => Assert.Equal(expected, ApplyPod(current, patch));

    [Theory]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":[{"image":"x"}]}""", "lacks its merge key \"name\"")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":["x"]}""", "mixes types")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":[{"name":"a","$patch":"merge"}]}""", "$patch: merge is not allowed")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":[{"name":"a","$patch":"spam"}]}""", "unknown patch type")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"$patch":"spam"}""", "unknown patch type")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"b"}]}""", "doesn't match its $setElementOrder list")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"$setElementOrder/containers":{}}""", "must be a list")]
    [InlineData("""{"containers":{"name":"a"}}""", """{"$setElementOrder/containers":[{"name":"a"}]}""", "is not a list")]
    [InlineData("""{"volumes":[]}""", """{"$retainKeys":["volumes"],"hostname":"x"}""", "$retainKeys list does not name")]
    [InlineData("""{"volumes":[]}""", """{"$retainKeys":"volumes"}""", "must be a list of strings")]
    public void Refuses_what_has_the_wrong_form(string current, string patch, string message) =>
        Assert.Contains(message, Assert.Throws<PatchException>(() => ApplyPod(current, patch)).Message, StringComparison.Ordinal);

    // What kubectl apply sends for a changed image, a removed variable and a new port.
    [Fact]
    public void Takes_a_patch_of_kubectl_apply()
    {
        var current = """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"deployment.kubernetes.io/revision":"1","kubectl.kubernetes.io/last-applied-configuration":"old"},"name":"web"},
             "spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"web","image":"web:1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],
               "ports":[{"containerPort":80,"protocol":"TCP"}]},{"name":"injected","image":"proxy"}]}}}}
            """;
        var patch = """
            {"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"new"}},
             "spec":{"replicas":3,"template":{"spec":{"$setElementOrder/containers":[{"name":"web"}],"containers":[{"$setElementOrder/env":[{"name":"B"}],"$setElementOrder/ports":[{"containerPort":8080},{"containerPort":80}],
               "env":[{"$patch":"delete","name":"A"}],"image":"web:2","name":"web","ports":[{"containerPort":8080}]}]}}}}
            """;
        Assert.Equal(Shape.Tree("""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{"deployment.kubernetes.io/revision":"1","kubectl.kubernetes.io/last-applied-configuration":"new"},"name":"web"},
             "spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"web","image":"web:2","env":[{"name":"B","value":"2"}],
               "ports":[{"containerPort":8080},{"containerPort":80,"protocol":"TCP"}]},{"name":"injected","image":"proxy"}]}}}}
            """).ToJsonString(), Apply(current, patch));
    }

    [Fact]
    public void Large_keyed_lists_do_not_take_quadratic_time()
    {
        static string Items(string value) => string.Join(',', Enumerable.Range(0, 50_000).Select(i => $$"""{"name":"n{{i}}","value":"{{value}}"}"""));
        var result = ApplyPod($$"""{"containers":[{"name":"a","env":[{{Items("1")}}]}]}""", $$"""{"containers":[{"name":"a","env":[{{Items("2")}}]}]}""");
        Assert.Contains("""{"name":"n49999","value":"2"}""", result, StringComparison.Ordinal);
    }
}
