using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Schemas;

public sealed class CrdSchemaTests
{
    private static readonly GroupVersionKind Widget = new("example.com", "v1", "Widget");

    private static Schema Read(string json) => CrdSchema.FromCrd(JsonNode.Parse(json)!.AsObject(), Widget, new SchemaReader().FromType(typeof(ObjectMeta)));

    [Fact]
    public void A_whole_object_gets_metadata_apiVersion_and_kind()
    {
        var schema = Read("""{"type":"object","properties":{"spec":{"type":"object"}}}""");
        Assert.Equal(["apiVersion", "kind", "metadata", "spec"], schema.Properties.Keys.Order());
        Assert.True(schema.Properties["metadata"].Properties.ContainsKey("finalizers"));
        Assert.Equal(Widget, schema.Kind);
    }

    [Fact]
    public void Merge_rules_are_read()
    {
        var list = Read("""
            {"type":"object","properties":{"items":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
            "items":{"type":"object","x-kubernetes-map-type":"atomic","required":["name"],"properties":{"name":{"type":"string","default":"a"}}}}}}
            """).Properties["items"];
        Assert.Equal(ListType.Map, list.ListType);
        Assert.Equal(["name"], list.ListMapKeys);
        Assert.Equal(MapType.Atomic, list.Items!.MapType);
        Assert.Equal(["name"], list.Items.Required);
        Assert.Equal("a", list.Items.Properties["name"].Default!.GetValue<string>());
    }

    [Fact]
    public void Value_rules_are_read()
    {
        var schema = Read("""
            {"type":"object","properties":{"a":{"type":"integer","minimum":1,"exclusiveMaximum":true,"maximum":9.5,"multipleOf":2},
            "b":{"type":"string","pattern":"^a","minLength":1,"maxLength":3,"enum":["a",null],"nullable":true,"format":"date"},
            "c":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"boolean"}},
            "d":{"type":"object","additionalProperties":{"type":"number"},"minProperties":1,"maxProperties":4}}}
            """).Properties;
        Assert.Equal((1, 9.5, true, 2), (schema["a"].Minimum, schema["a"].Maximum, schema["a"].ExclusiveMaximum, schema["a"].MultipleOf));
        Assert.Equal(("^a", 1, 3, true, "date"), (schema["b"].Pattern, schema["b"].MinLength, schema["b"].MaxLength, schema["b"].Nullable, schema["b"].Format));
        Assert.Equal(2, schema["b"].Enum.Count);
        Assert.Null(schema["b"].Enum[1]);
        Assert.Equal((1, 2, SchemaType.Boolean), (schema["c"].MinItems, schema["c"].MaxItems, schema["c"].Items!.Type));
        Assert.Equal((1, 4, SchemaType.Number), (schema["d"].MinProperties, schema["d"].MaxProperties, schema["d"].AdditionalProperties!.Type));
    }

    [Fact]
    public void Extensions_are_read()
    {
        var schema = Read("""
            {"type":"object","properties":{"port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
            "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
            "pod":{"type":"object","x-kubernetes-embedded-resource":true},
            "any":{"type":"object","additionalProperties":true}}}
            """).Properties;
        Assert.True(schema["port"].IntOrString);
        Assert.Equal(2, schema["port"].AnyOf.Count);
        Assert.True(schema["free"].PreserveUnknownFields);
        Assert.True(schema["pod"].EmbeddedResource);
        Assert.Contains("metadata", schema["pod"].Properties.Keys);
        Assert.Same(Schema.Anything, schema["any"].AdditionalProperties);
    }

    [Fact]
    public void The_schema_does_not_change_with_the_tree_it_came_from()
    {
        var tree = JsonNode.Parse("""{"type":"object","properties":{"a":{"type":"string","default":"x"}}}""")!.AsObject();
        var schema = CrdSchema.FromCrd(tree);
        tree["properties"]!["a"]!["default"] = "changed";
        Assert.Equal("x", schema.Properties["a"].Default!.GetValue<string>());
    }

    [Fact]
    public void A_schema_that_is_read_later_is_the_same_and_reads_nothing_before()
    {
        static JsonObject Tree() => JsonNode.Parse("""
            {"type":"object","properties":{"metadata":{"type":"object","properties":{"name":{"type":"string","maxLength":5}}},
             "spec":{"type":"object","required":["a"],"properties":{"a":{"type":"array","items":{"properties":{"b":{"type":"string","default":"x","pattern":"^x"}}}}}}}}
            """)!.AsObject();
        static Schema Item(Schema schema) => schema.Properties["spec"].Properties["a"].Items!;
        var meta = new SchemaReader().FromType(typeof(ObjectMeta));
        var (now, later) = (CrdSchema.FromCrd(Tree(), Widget, meta, "w"), CrdSchema.LaterFromCrd(Tree(), Widget, meta, "w"));
        Assert.Equal(now.Properties.Keys.Order(), later.Properties.Keys.Order());
        Assert.Equal((now.Type, now.Kind, now.DefinitionName, SchemaType.Object), (later.Type, later.Kind, later.DefinitionName, Item(later).Type));
        Assert.Equal(["a"], later.Properties["spec"].Required);
        Assert.Equal(5, later.Properties["metadata"].Properties["name"].MaxLength);
        Assert.Equal(("x", "^x"), (Item(later).Properties["b"].Default!.GetValue<string>(), Item(later).Properties["b"].Pattern));

        var tree = Tree();
        var unread = CrdSchema.LaterFromCrd(tree);
        (tree["properties"] as JsonObject)!.Remove("spec");
        Assert.DoesNotContain("spec", unread.Properties.Keys);
    }
}
