using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Subresources;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Registry;

/// <summary>Reads the served versions of a CustomResourceDefinition as resources. A definition that is not established serves none.</summary>
internal static class CustomResources
{
    private static readonly string[] ReadWrite = ["get", "patch", "update"];

    public static IReadOnlyList<ResourceInfo> Read(JsonObject definition, Schema metadata, Func<JsonObject, IVersionConverter?> converters)
    {
        if (!IsTrue(definition, "Established"))
            return [];

        var versions = (definition.At("spec", "versions") as JsonArray ?? []).OfType<JsonObject>().ToList();
        var storage = versions.Find(version => version["storage"].AsBoolean() == true) ?? [];
        var converter = converters(definition);
        return [.. versions.Where(version => version["served"].AsBoolean() == true).Select(version => ReadVersion(definition, version, storage, metadata, converter))];
    }

    private static ResourceInfo ReadVersion(JsonObject definition, JsonObject version, JsonObject storage, Schema metadata, IVersionConverter? converter)
    {
        // What was accepted counts: a name that another definition has is not given twice.
        var names = definition.At("status", "acceptedNames") as JsonObject ?? definition.At("spec", "names") as JsonObject ?? [];
        var group = definition.At("spec", "group").AsText() ?? "";
        var name = version["name"].AsText() ?? "";
        var kind = new GroupVersionKind(group, name, names["kind"].AsText() ?? "");
        var hasStatus = version.At("subresources", "status") is not null;
        var scale = version.At("subresources", "scale") as JsonObject;
        var namespaced = definition.At("spec", "scope").AsText() != "Cluster";
        var selectable = (version["selectableFields"] as JsonArray ?? []).Select(field => field.At("jsonPath").AsText() ?? "").Where(path => path.Length > 0).ToList();
        return new ResourceInfo
        {
            Resource = new GroupVersionResource(group, name, names["plural"].AsText() ?? ""),
            Kind = kind,
            Singular = names["singular"].AsText() ?? kind.Kind.ToLowerInvariant(),
            ShortNames = Metadata.Strings(names, "shortNames"),
            Categories = Metadata.Strings(names, "categories"),
            Namespaced = namespaced,
            StorageVersion = storage["name"].AsText() ?? "",
            StorageSchema = ReferenceEquals(storage, version) ? null : CrdSchema.LaterFromCrd(Schema(group, names, storage), kind, metadata),
            Converter = converter,
            SchemaEpoch = Metadata.Number(definition["metadata"] as JsonObject, "generation") ?? 0,
            Schema = CrdSchema.LaterFromCrd(Schema(group, names, version), kind, metadata, DefinitionName(kind)),
            Strategy = new CustomStrategy(namespaced, hasStatus, selectable),
            HasStatus = hasStatus,
            Scale = scale is null ? null : new ScalePaths(
                scale["specReplicasPath"].AsText() ?? "", scale["statusReplicasPath"].AsText() ?? "", scale["labelSelectorPath"].AsText()),
            Columns = CustomColumns.Of(version["additionalPrinterColumns"] as JsonArray),
            Subresources = Subresources(kind, hasStatus, scale is not null),
            IsCustom = true,
            DeprecationWarning = version["deprecated"].AsBoolean() == true ? version["deprecationWarning"].AsText() ?? $"{kind.ApiVersion} {kind.Kind} is deprecated" : null,
        };
    }

    private static JsonObject Schema(string group, JsonObject names, JsonObject version) =>
        KeptMembers.In(group, names["plural"].AsText() ?? "", version.At("schema", "openAPIV3Schema") as JsonObject ?? []);

    private static SubresourceInfo[] Subresources(GroupVersionKind kind, bool hasStatus, bool hasScale)
    {
        var list = new List<SubresourceInfo>();
        if (hasScale)
            list.Add(new SubresourceInfo("scale", ScaleSubresource.Kind, ReadWrite));
        if (hasStatus)
            list.Add(new SubresourceInfo("status", kind, ReadWrite));
        return [.. list];
    }

    // OpenAPI names a definition by its group turned round: com.example.v1.Widget.
    private static string DefinitionName(GroupVersionKind kind) => $"{string.Join('.', kind.Group.Split('.').Reverse())}.{kind.Version}.{kind.Kind}";

    private static bool IsTrue(JsonObject definition, string condition) =>
        (definition.At("status", "conditions") as JsonArray ?? []).Any(item => item.At("type").AsText() == condition && item.At("status").AsText() == "True");
}
