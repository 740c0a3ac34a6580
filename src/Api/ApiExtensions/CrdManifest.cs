using System.Text.Json.Nodes;
using Weft.Api.Schemas;

namespace Weft.Api.ApiExtensions;

/// <summary>Makes the CustomResourceDefinition of a C# type: its names, versions, subresources and columns, and a structural schema with the type's descriptions.</summary>
public static class CrdManifest
{
    /// <summary>Set on definitions that the program made.</summary>
    public const string Label = "weft.dev/preinstalled";

    /// <exception cref="NotSupportedException">The type has a member that no structural schema can say: one that contains itself.</exception>
    public static JsonObject Of(PreinstalledKind kind, SchemaReader schemas)
    {
        var info = kind.Kind;
        var root = schemas.FromType(info.Type);
        var schema = CrdSchemaText.Of(root, info.Type);
        var names = new JsonObject { ["plural"] = info.Plural, ["singular"] = info.Singular, ["kind"] = info.Kind.Kind, ["listKind"] = info.Kind.Kind + "List" };
        if (info.ShortNames.Count > 0)
            names["shortNames"] = Texts(info.ShortNames);
        if (info.Categories.Count > 0)
            names["categories"] = Texts(info.Categories);

        var metadata = new JsonObject { ["name"] = $"{info.Plural}.{info.Kind.Group}", ["labels"] = new JsonObject { [Label] = "true" } };
        if (kind.Annotations.Count > 0)
            metadata["annotations"] = new JsonObject(kind.Annotations.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));
        return new JsonObject
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject
            {
                ["group"] = info.Kind.Group,
                ["names"] = names,
                ["scope"] = info.Namespaced ? "Namespaced" : "Cluster",
                ["versions"] = new JsonArray([.. ((IEnumerable<string>)[info.Kind.Version, .. kind.OlderVersions]).Select(name => Version(kind, root, schema, name))]),
            },
        };
    }

    private static JsonNode Version(PreinstalledKind kind, Schema root, JsonObject schema, string name)
    {
        var version = new JsonObject { ["name"] = name, ["served"] = true, ["storage"] = name == kind.Kind.Kind.Version };
        if (kind.Deprecated.TryGetValue(name, out var warning))
        {
            version["deprecated"] = true;
            if (warning is not null)
                version["deprecationWarning"] = warning;
        }
        version["schema"] = new JsonObject { ["openAPIV3Schema"] = schema.DeepClone() };

        var subresources = new JsonObject();
        if (root.Properties.ContainsKey("status"))
            subresources["status"] = new JsonObject();
        if (kind.Scale is { } scale)
        {
            var paths = new JsonObject { ["specReplicasPath"] = scale.Spec, ["statusReplicasPath"] = scale.Status };
            if (scale.Selector is not null)
                paths["labelSelectorPath"] = scale.Selector;
            subresources["scale"] = paths;
        }
        if (subresources.Count > 0)
            version["subresources"] = subresources;
        if (kind.Columns.Count > 0)
            version["additionalPrinterColumns"] = new JsonArray([.. kind.Columns.Select(Column)]);
        return version;
    }

    private static JsonNode Column(PreinstalledColumn column)
    {
        var tree = new JsonObject { ["name"] = column.Name, ["type"] = column.Type, ["jsonPath"] = column.Path };
        if (column.Description.Length > 0)
            tree["description"] = column.Description;
        if (column.Priority > 0)
            tree["priority"] = column.Priority;
        return tree;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}
