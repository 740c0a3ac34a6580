using System.Text.Json.Nodes;
using Weft.ApiServer.Discovery;

namespace Weft.ApiServer.OpenApi;

/// <summary>One version of a group as an OpenAPI 3.0 document.</summary>
internal static class OpenApiV3
{
    internal static JsonObject Document(ServedVersion served, MetaDefinitions meta, string version)
    {
        var operations = ApiOperations.Of(served).ToList();
        var paths = new JsonObject();
        foreach (var path in operations.GroupBy(o => o.Path))
            paths[path.Key] = PathItem(path);

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = DefinitionSet.Of([served], operations, meta, Dialect.V3) },
        };
    }

    private static JsonObject PathItem(IGrouping<string, ApiOperation> path)
    {
        var item = new JsonObject();
        foreach (var operation in path)
            item[operation.Method] = Operation(operation);
        var parameters = OpenApiParameters.OfPath(path.Key).Select(JsonNode (name) => new JsonObject
        {
            ["name"] = name, ["in"] = "path", ["required"] = true, ["description"] = OpenApiParameters.Describe(name),
            ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
        }).ToArray();
        if (parameters.Length > 0)
            item["parameters"] = new JsonArray(parameters);
        return item;
    }

    private static JsonObject Operation(ApiOperation operation)
    {
        var json = new JsonObject
        {
            ["description"] = operation.Description,
            ["tags"] = new JsonArray(OpenApiParameters.Tag(operation)),
            ["operationId"] = operation.Id,
        };
        var parameters = operation.Query.Select(JsonNode (p) => new JsonObject
        {
            ["name"] = p.Name, ["in"] = "query", ["description"] = p.Description, ["schema"] = new JsonObject { ["type"] = p.Type, ["uniqueItems"] = true },
        }).ToArray();
        if (parameters.Length > 0)
            json["parameters"] = new JsonArray(parameters);
        if (operation.Body is { } body)
            json["requestBody"] = new JsonObject { ["content"] = Content(operation.Consumes, body), ["required"] = operation.Method != "delete" };

        var ok = new JsonObject { ["description"] = "OK" };
        if (operation.Answer is { } answer)
            ok["content"] = Content(["application/json"], answer);
        json["responses"] = new JsonObject { ["200"] = ok, ["401"] = new JsonObject { ["description"] = "Unauthorized" } };
        json["x-kubernetes-action"] = operation.Action;
        json["x-kubernetes-group-version-kind"] = SchemaText.KindExtension(operation.Kind);
        return json;
    }

    private static JsonObject Content(IEnumerable<string> types, string definition)
    {
        var content = new JsonObject();
        foreach (var type in types)
            content[type] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = SchemaText.RefPrefix(Dialect.V3) + definition } };
        return content;
    }
}
