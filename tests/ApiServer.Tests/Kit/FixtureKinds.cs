using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>A custom kind as a CRD would give it, and a graceful one, to show what holds for any kind.</summary>
internal static class FixtureKinds
{
    private static readonly Schema Text = new() { Type = SchemaType.String };
    private static readonly Schema Whole = new() { Type = SchemaType.Integer, Format = "int64" };

    public static ResourceInfo Widgets { get; } = new()
    {
        Resource = new GroupVersionResource("example.com", "v1", "widgets"),
        Kind = new GroupVersionKind("example.com", "v1", "Widget"),
        Singular = "widget",
        Namespaced = true,
        StorageVersion = "v1",
        IsCustom = true,
        HasStatus = true,
        Scale = new ScalePaths(".spec.replicas", ".status.replicas", ".status.selector"),
        Strategy = new PlainStrategy(hasStatus: true, new() { ["spec.colour"] = tree => tree.At("spec", "colour").AsText() ?? "" }),
        Columns =
        [
            new TableColumn("Name", "string", "name", "Name of the widget.", 0, (tree, _) => tree.At("metadata", "name")?.DeepClone()),
            new TableColumn("Colour", "string", "", "Its colour.", 0, (tree, _) => tree.At("spec", "colour")?.DeepClone()),
        ],
        Schema = Object(new()
        {
            ["apiVersion"] = Text,
            ["kind"] = Text,
            ["metadata"] = new Schema { Type = SchemaType.Object },
            ["spec"] = Object(new()
            {
                ["colour"] = Text,
                ["size"] = new Schema { Type = SchemaType.Integer, Default = 1, Minimum = 0 },
                ["replicas"] = Whole,
                ["tags"] = new Schema { Type = SchemaType.Array, Items = Text, ListType = ListType.Set },
                ["parts"] = new Schema
                {
                    Type = SchemaType.Array,
                    ListType = ListType.Map,
                    ListMapKeys = ["name"],
                    Items = Object(new() { ["name"] = Text, ["count"] = Whole, ["note"] = Text }),
                },
            }),
            ["status"] = Object(new() { ["replicas"] = Whole, ["phase"] = Text, ["selector"] = Text }),
        }),
    };

    /// <summary>Cluster-scoped and without a status.</summary>
    public static ResourceInfo Realms { get; } = Widgets with
    {
        Resource = new GroupVersionResource("example.com", "v1", "realms"),
        Kind = new GroupVersionKind("example.com", "v1", "Realm"),
        Singular = "realm",
        Namespaced = false,
        HasStatus = false,
        Scale = null,
        Strategy = new PlainStrategy(hasStatus: false),
    };

    /// <summary>Deleted with a grace of 30 seconds, as pods are.</summary>
    public static ResourceInfo Lingerers { get; } = Widgets with
    {
        Resource = new GroupVersionResource("example.com", "v1", "lingerers"),
        Kind = new GroupVersionKind("example.com", "v1", "Lingerer"),
        Singular = "lingerer",
        Strategy = new PlainStrategy(hasStatus: true, grace: 30),
    };

    public static IReadOnlyList<ResourceInfo> All => [Widgets, Realms, Lingerers];

    private static Schema Object(Dictionary<string, Schema> properties)
    {
        var frozen = properties.ToFrozenDictionary();
        return new Schema { Type = SchemaType.Object, PropertiesFactory = () => frozen };
    }
}

internal sealed class FixedCatalog(IReadOnlyList<ResourceInfo> all) : IResourceCatalog
{
    public ResourceSnapshot Current { get; } = new(1, all);
}
