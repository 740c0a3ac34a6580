using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>A custom kind as a CRD would give it, and a graceful one, to show what holds for any kind.</summary>
internal static class FixtureKinds
{
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
        Schema = CrdSchema.FromCrd((JsonObject)JsonNode.Parse("""
            {"type":"object","properties":{
              "spec":{"type":"object","properties":{
                "colour":{"type":"string"},
                "size":{"type":"integer","default":1,"minimum":0},
                "replicas":{"type":"integer","format":"int64"},
                "tags":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
                "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                  "items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"count":{"type":"integer"},"note":{"type":"string"}}}}}},
              "status":{"type":"object","properties":{"replicas":{"type":"integer"},"phase":{"type":"string"},"selector":{"type":"string"}}}}}
            """)!, new GroupVersionKind("example.com", "v1", "Widget"), new SchemaReader().FromType(typeof(ObjectMeta))),
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
}

internal sealed class FixedCatalog(IReadOnlyList<ResourceInfo> all) : IResourceCatalog
{
    public ResourceSnapshot Current { get; } = new(1, all);
}
