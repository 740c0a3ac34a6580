using System.Text.Json.Nodes;
using Weft.ApiServer.Discovery;

namespace Weft.ApiServer.OpenApi;

/// <summary>The whole API as one Swagger 2.0 document.</summary>
internal static class OpenApiV2
{
    internal static JsonObject Document(IReadOnlyList<ServedVersion> versions, MetaDefinitions meta, string version)
    {
        var operations = versions.SelectMany(ApiOperations.Of).ToList();
        var paths = new JsonObject();
        foreach (var path in operations.GroupBy(o => o.Path))
            paths[path.Key] = PathItem(path);

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version },
            ["paths"] = paths,
            ["definitions"] = DefinitionSet.Of(versions, operations, meta, Dialect.V2),
        };
    }

    private static JsonObject PathItem(IGrouping<string, ApiOperation> path)
    {
        var item = new JsonObject();
        foreach (var operation in path)
            item[operation.Method] = Operation(operation);
        var parameters = OpenApiParameters.OfPath(path.Key).Select(JsonNode (name) => new JsonObject
        {
            ["name"] = name, ["in"] = "path", ["required"] = true, ["type"] = "string", ["description"] = OpenApiParameters.Describe(name), ["uniqueItems"] = true,
        }).ToArray();
        if (parameters.Length > 0)
            item["parameters"] = new JsonArray(parameters);
        return item;
    }

    private static JsonObject Operation(ApiOperation operation)
    {
        var parameters = new JsonArray();
        if (operation.Body is { } body)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = "body", ["in"] = "body", ["required"] = operation.Method != "delete", ["schema"] = Reference(body),
            });
        }

        foreach (var parameter in operation.Query)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = parameter.Name, ["in"] = "query", ["type"] = parameter.Type, ["description"] = parameter.Description, ["uniqueItems"] = true,
            });
        }

        var ok = new JsonObject { ["description"] = "OK" };
        ok["schema"] = operation.Answer is { } answer ? Reference(answer) : new JsonObject { ["type"] = "string" };
        return new JsonObject
        {
            ["description"] = operation.Description,
            ["consumes"] = Strings(operation.Consumes.Count > 0 ? operation.Consumes : ["*/*"]),
            ["produces"] = operation.Answer is null ? Strings(["*/*"]) : Strings(["application/json"]),
            ["schemes"] = new JsonArray("https"),
            ["tags"] = new JsonArray(OpenApiParameters.Tag(operation)),
            ["operationId"] = operation.Id,
            ["parameters"] = parameters,
            ["responses"] = new JsonObject { ["200"] = ok, ["401"] = new JsonObject { ["description"] = "Unauthorized" } },
            ["x-kubernetes-action"] = operation.Action,
            ["x-kubernetes-group-version-kind"] = SchemaText.KindExtension(operation.Kind),
        };
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = SchemaText.RefPrefix(Dialect.V2) + name };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(JsonNode (v) => v)]);
}

/// <summary>What both versions say of paths.</summary>
internal static class OpenApiParameters
{
    internal static IEnumerable<string> OfPath(string path)
    {
        if (path.Contains("{name}", StringComparison.Ordinal))
            yield return "name";
        if (path.Contains("{namespace}", StringComparison.Ordinal))
            yield return "namespace";
    }

    internal static string Describe(string name) => name == "name" ? "Name of the object." : "Namespace of the object.";

    internal static string Tag(ApiOperation operation)
    {
        var parts = operation.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts[0] == "api" ? OperationNames.Tag("", parts[1]) : OperationNames.Tag(parts[1], parts[2]);
    }
}
