using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

/// <summary>All definitions that some resources and their operations need, written out.</summary>
internal static class DefinitionSet
{
    internal static JsonObject Of(IEnumerable<ServedVersion> versions, IReadOnlyCollection<ApiOperation> operations, MetaDefinitions meta, Dialect dialect)
    {
        var text = new SchemaText(dialect);
        var made = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var resource in versions.SelectMany(v => v.Resources))
        {
            made[DefinitionNames.Of(resource)] = Root(resource, text);
            if (resource.Verbs.Contains("list"))
                made[DefinitionNames.ListOf(resource)] = List(resource, text, meta);
        }

        foreach (var name in operations.SelectMany(o => new[] { o.Body, o.Answer }).OfType<string>().Distinct())
        {
            if (!made.ContainsKey(name) && meta.Find(name) is { } schema)
                made[name] = text.Definition(schema);
        }

        // What a definition refers to is found while it is written.
        while (text.Referred.Where(r => !made.ContainsKey(r.Key)).ToList() is { Count: > 0 } missing)
        {
            foreach (var (name, schema) in missing)
                made[name] = text.Definition(schema);
        }

        var all = new JsonObject();
        foreach (var (name, definition) in made)
            all[name] = definition;
        return all;
    }

    private static JsonObject Root(ResourceInfo resource, SchemaText text)
    {
        var definition = text.Definition(resource.Schema);
        definition["x-kubernetes-group-version-kind"] = new JsonArray(SchemaText.KindExtension(resource.Kind));
        return definition;
    }

    private static JsonObject List(ResourceInfo resource, SchemaText text, MetaDefinitions meta)
    {
        var kind = resource.Kind with { Kind = resource.ListKind };
        return new JsonObject
        {
            ["description"] = $"A list of {resource.Kind.Kind} objects.",
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["description"] = "Version of this list.", ["type"] = "string" },
                ["items"] = new JsonObject
                {
                    ["description"] = "The objects.", ["type"] = "array", ["items"] = text.Reference(DefinitionNames.Of(resource)),
                },
                ["kind"] = new JsonObject { ["description"] = kind.Kind + ".", ["type"] = "string" },
                ["metadata"] = text.Value(meta.Find(MetaDefinitions.ListMeta)!),
            },
            ["required"] = new JsonArray("items"),
            ["x-kubernetes-group-version-kind"] = new JsonArray(SchemaText.KindExtension(kind)),
        };
    }
}
