using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Tests.Strategies;

/// <summary>One built-in resource, with the steps of a write that concern its schema and strategy.</summary>
internal sealed partial class Subject
{
    private static readonly IReadOnlyList<ResourceInfo> All = BuiltInResources.All(new SchemaReader());
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public ResourceInfo Resource { get; }

    private Subject(ResourceInfo resource) => Resource = resource;

    /// <param name="version">Null where there is one.</param>
    public static Subject Of(string plural, string group = "", string? version = null) =>
        new(All.Single(resource => resource.Resource.Resource == plural && resource.Resource.Group == group && (version is null || resource.Resource.Version == version)));

    public static IReadOnlyList<ResourceInfo> Resources => All;

    public static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>A tree with some members set: paths such as `spec.containers[0].image`; the value `-` takes the member away.</summary>
    public static JsonObject With(JsonObject tree, params (string Path, string Json)[] edits)
    {
        tree = tree.DeepClone().AsObject();
        foreach (var (path, json) in edits)
            Set(tree, path, json);
        return tree;
    }

    public JsonObject Create(JsonObject tree)
    {
        tree = tree.DeepClone().AsObject();
        Prepare(tree);
        Resource.Strategy.PrepareForCreate(tree, Context(""));
        return tree;
    }

    public JsonObject Update(JsonObject tree, JsonObject old, string subresource = "")
    {
        tree = tree.DeepClone().AsObject();
        Prepare(tree);
        Resource.Strategy.PrepareForUpdate(tree, old, Context(subresource));
        return tree;
    }

    public IReadOnlyList<string> CreateErrors(JsonObject tree) => Errors(Create(tree), null, "");

    public IReadOnlyList<string> UpdateErrors(JsonObject tree, JsonObject old, string subresource = "") => Errors(Update(tree, old, subresource), old, subresource);

    public IReadOnlyList<string> Warnings(JsonObject tree) => [.. Resource.Strategy.Warnings(Create(tree), null)];

    private void Prepare(JsonObject tree)
    {
        Assert.Empty(Pruner.Prune(tree, Resource.Schema));
        Pruner.DropNulls(tree, Resource.Schema);
        Defaulter.Apply(tree, Resource.Schema);
        Resource.Strategy.Default(tree);
    }

    // As the registry does: the strategy judges what the schema lets through.
    private List<string> Errors(JsonObject tree, JsonObject? old, string subresource)
    {
        var errors = StructuralValidator.Validate(tree, Resource.Schema, old).ToList();
        if (errors.Count == 0)
            errors.AddRange(Resource.Strategy.Validate(tree, old, Context(subresource)));
        return [.. errors.Select(error => error.ToString())];
    }

    private StrategyContext Context(string subresource) => new(new UserInfo("tester", []), subresource, Resource.Namespaced ? "default" : "", Now);

    private static void Set(JsonNode node, string path, string json)
    {
        var steps = Step().Matches(path).Select(match => match.Value.Trim('[', ']')).ToList();
        for (var i = 0; i < steps.Count - 1; i++)
        {
            var next = At(node, steps[i]);
            if (next is null)
                ((JsonObject)node)[steps[i]] = next = new JsonObject();
            node = next;
        }
        if (json == "-")
            ((JsonObject)node).Remove(steps[^1]);
        else if (node is JsonArray list && int.Parse(steps[^1]) == list.Count)
            list.Add(JsonNode.Parse(json));
        else if (node is JsonArray items)
            items[int.Parse(steps[^1])] = JsonNode.Parse(json);
        else
            ((JsonObject)node)[steps[^1]] = JsonNode.Parse(json);
    }

    private static JsonNode? At(JsonNode node, string step) => node is JsonArray list ? list[int.Parse(step)] : ((JsonObject)node)[step];

    // `a.b[0]`, and `[x.y/z]` for keys with dots.
    [GeneratedRegex(@"[^.\[\]]+|\[[^\]]+\]")]
    private static partial Regex Step();
}
