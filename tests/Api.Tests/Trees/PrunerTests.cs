using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Trees;

public sealed class PrunerTests
{
    [Fact]
    public void Removes_unknown_fields_and_says_which()
    {
        var tree = Shape.Tree("""
            {"apiVersion":"apps/v1","kind":"Deployment","extra":1,"metadata":{"name":"x","labels":{"any":"key"},"odd":true},
             "spec":{"replica":3,"template":{"spec":{"containers":[{"name":"a"},{"name":"b","imag":"x","resources":{"limits":{"cpu":"1"}}}]}}}}
            """);
        Assert.Equal(["extra", "metadata.odd", "spec.replica", "spec.template.spec.containers[1].imag"], Pruner.Prune(tree, Shape.Deployment));
        Assert.Equal("""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x","labels":{"any":"key"}},"spec":{"template":{"spec":{"containers":[{"name":"a"},{"name":"b","resources":{"limits":{"cpu":"1"}}}]}}}}""",
            tree.ToJsonString());
        Assert.Empty(Pruner.Prune(tree, Shape.Deployment));
    }

    [Fact]
    public void Keeps_what_a_schema_preserves_but_prunes_below_its_known_fields()
    {
        var schema = Shape.Object(("spec", new() { Type = SchemaType.Object, PreserveUnknownFields = true, PropertiesFactory = Shape.Members(("known", Shape.Object(("a", Shape.Text)))) }));
        var tree = Shape.Tree("""{"apiVersion":"v1","kind":"K","metadata":{"name":"x"},"spec":{"free":{"x":[1]},"known":{"a":"1","b":"2"}}}""");
        Assert.Equal(["spec.known.b"], Pruner.Prune(tree, schema));
        Assert.Equal("""{"apiVersion":"v1","kind":"K","metadata":{"name":"x"},"spec":{"free":{"x":[1]},"known":{"a":"1"}}}""", tree.ToJsonString());
    }

    [Fact]
    public void An_object_without_members_keeps_nothing_and_a_value_of_any_type_everything()
    {
        var schema = Shape.Object(("spec", Shape.Object(("closed", Shape.Object()), ("open", new() { Type = SchemaType.Any }))));
        var tree = Shape.Tree("""{"spec":{"closed":{"a":1},"open":{"a":{"b":1}}}}""");
        Assert.Equal(["spec.closed.a"], Pruner.Prune(tree, schema));
        Assert.Equal("""{"spec":{"closed":{},"open":{"a":{"b":1}}}}""", tree.ToJsonString());
    }

    [Fact]
    public void An_embedded_resource_keeps_its_type_and_metadata()
    {
        var schema = Shape.Object(("template", new() { Type = SchemaType.Object, EmbeddedResource = true, PropertiesFactory = Shape.Members(("spec", Shape.Object())) }));
        var tree = Shape.Tree("""{"template":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"a":1},"more":1}}""");
        Assert.Equal(["template.spec.a", "template.more"], Pruner.Prune(tree, schema));
    }

    [Fact]
    public void Null_members_of_typed_fields_can_be_dropped()
    {
        var tree = Shape.Tree("""{"spec":{"replicas":null,"selector":{"matchLabels":null},"template":{"spec":{"containers":[{"name":"a","image":null}]}}},"unknown":null}""");
        Pruner.DropNulls(tree, Shape.Deployment);
        Assert.Equal("""{"spec":{"selector":{},"template":{"spec":{"containers":[{"name":"a"}]}}},"unknown":null}""", tree.ToJsonString());
    }
}
