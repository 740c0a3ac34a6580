using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.Tests.Trees;

/// <summary>Schemas and trees in a line, for the tests of everything that works on (tree, schema).</summary>
internal static class Shape
{
    public static readonly Schema Text = new() { Type = SchemaType.String };
    public static readonly Schema Whole = new() { Type = SchemaType.Integer };
    public static readonly Schema Flag = new() { Type = SchemaType.Boolean };
    public static readonly Schema Labels = new() { Type = SchemaType.Object, AdditionalProperties = Text };

    public static Schema Object(params (string Name, Schema Schema)[] members) => new() { Type = SchemaType.Object, PropertiesFactory = Members(members) };

    public static Func<FrozenDictionary<string, Schema>> Members(params (string Name, Schema Schema)[] members) =>
        () => members.ToFrozenDictionary(m => m.Name, m => m.Schema);

    public static Schema Atomic(Schema items) => new() { Type = SchemaType.Array, Items = items };

    public static Schema Set(Schema items) => new() { Type = SchemaType.Array, Items = items, ListType = ListType.Set, PatchStrategy = PatchStrategy.Merge };

    public static Schema Map(Schema items, params string[] keys) =>
        new() { Type = SchemaType.Array, Items = items, ListType = ListType.Map, ListMapKeys = keys, PatchStrategy = PatchStrategy.Merge, PatchMergeKey = keys[0] };

    public static JsonNode Json(string text) => JsonNode.Parse(text)!;

    public static JsonObject Tree(string text) => JsonNode.Parse(text)!.AsObject();

    public static readonly Schema Metadata = Object(
        ("name", Text), ("generateName", Text), ("namespace", Text), ("uid", Text), ("resourceVersion", Text), ("generation", Whole), ("creationTimestamp", Text), ("deletionTimestamp", Text),
        ("labels", Labels), ("annotations", Labels), ("finalizers", Set(Text)), ("managedFields", Atomic(Schema.Anything)),
        ("ownerReferences", Map(new() { Type = SchemaType.Object, MapType = MapType.Atomic, PropertiesFactory = Members(("uid", Text), ("name", Text), ("kind", Text), ("apiVersion", Text)) }, "uid")));

    /// <summary>The parts of a Deployment that have every merge rule: keyed lists with one and two keys, sets, atomic lists and maps, unions.</summary>
    public static readonly Schema Deployment = Object(
        ("apiVersion", Text), ("kind", Text), ("metadata", Metadata),
        ("spec", Object(
            ("replicas", Whole),
            ("paused", Flag),
            ("selector", new() { Type = SchemaType.Object, MapType = MapType.Atomic, PropertiesFactory = Members(("matchLabels", Labels)) }),
            ("strategy", Object(("type", Text), ("rollingUpdate", Object(("maxSurge", new() { IntOrString = true }), ("maxUnavailable", new() { IntOrString = true }))))),
            ("template", Object(
                ("metadata", Metadata),
                ("spec", Object(
                    ("containers", Map(Container(), "name")),
                    ("initContainers", Map(Container(), "name")),
                    ("volumes", Map(Object(("name", Text), ("emptyDir", Object(("medium", Text))), ("configMap", Object(("name", Text)))), "name")),
                    ("tolerations", Atomic(Object(("key", Text), ("operator", Text)))),
                    ("nodeSelector", new() { Type = SchemaType.Object, AdditionalProperties = Text, MapType = MapType.Atomic }),
                    ("hostname", Text))))))),
        ("status", Object(("replicas", Whole), ("observedGeneration", Whole), ("conditions", Map(Object(("type", Text), ("status", Text)), "type")))));

    private static Schema Container() => Object(
        ("name", Text), ("image", Text), ("args", Atomic(Text)),
        ("env", Map(Object(("name", Text), ("value", Text)), "name")),
        ("ports", new()
        {
            Type = SchemaType.Array, ListType = ListType.Map, ListMapKeys = ["containerPort", "protocol"], PatchStrategy = PatchStrategy.Merge, PatchMergeKey = "containerPort",
            Items = Object(("containerPort", Whole), ("name", Text), ("protocol", new() { Type = SchemaType.String, Default = JsonValue.Create("TCP") })),
        }),
        ("resources", Object(("limits", Labels), ("requests", Labels))));
}
