using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Webhooks;

/// <summary>One webhook of a configuration, made ready once.</summary>
internal sealed record Webhook(string Name, JsonObject Client, AdmissionRules Rules, bool Ignores, TimeSpan Timeout, bool Reinvoked, IReadOnlyList<(string Name, CelProgram Program)> Conditions)
{
    // Of a condition that this server cannot compile (an older one took it): the webhook then counts as failing.
    public string? Problem { get; private init; }

    public static IReadOnlyList<Webhook> ReadAll(JsonObject configuration) => [.. (configuration["webhooks"] as JsonArray ?? []).OfType<JsonObject>().Select(Read)];

    private static Webhook Read(JsonObject webhook)
    {
        var (conditions, problem) = ReadConditions(webhook["matchConditions"]);
        return new Webhook(
            webhook["name"].AsText() ?? "", webhook["clientConfig"] as JsonObject ?? [], AdmissionRules.Read(webhook, "rules"), webhook["failurePolicy"].AsText() == "Ignore",
            TimeSpan.FromSeconds(webhook["timeoutSeconds"].AsInteger() ?? 10), webhook["reinvocationPolicy"].AsText() == "IfNeeded", conditions) { Problem = problem };
    }

    internal static (IReadOnlyList<(string, CelProgram)> Conditions, string? Problem) ReadConditions(JsonNode? list, IReadOnlyDictionary<string, CelType>? variables = null)
    {
        var conditions = new List<(string, CelProgram)>();
        foreach (var condition in (list as JsonArray ?? []).OfType<JsonObject>())
        {
            var (program, errors) = CelProgram.Compile(condition["expression"].AsText() ?? "", variables ?? AdmissionExpressions.Variables, CelType.Bool);
            if (program is null)
                return (conditions, $"matchCondition '{condition["name"].AsText()}': {errors[0].Message}");
            conditions.Add((condition["name"].AsText() ?? "", program));
        }
        return (conditions, null);
    }
}
