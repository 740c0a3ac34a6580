using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tests.Kit;

/// <summary>The strategy of a custom kind without rules of its own: the status belongs to its subresource.</summary>
internal sealed class PlainStrategy(bool hasStatus, Dictionary<string, Func<JsonObject, string>>? fields = null, long? grace = null) : IStrategy
{
    public IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } =
        (fields ?? []).ToFrozenDictionary();

    public void Default(JsonObject tree)
    {
    }

    public void PrepareForCreate(JsonObject tree, StrategyContext context)
    {
        if (hasStatus)
            tree.Remove("status");
    }

    public void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        if (!hasStatus)
            return;
        foreach (var name in tree.Select(member => member.Key).Union(old.Select(member => member.Key)).ToList())
        {
            if (name is "metadata" or "apiVersion" or "kind" || context.Subresource == "status" == (name == "status"))
                continue;
            tree.Remove(name);
            if (old[name] is { } kept)
                tree[name] = kept.DeepClone();
        }
    }

    public IEnumerable<FieldError> Validate(JsonObject tree, JsonObject? old, StrategyContext context) => [];

    public IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => [];

    public long? GracePeriodSeconds(JsonObject tree, long? requested) => grace is null ? null : requested ?? grace;
}
