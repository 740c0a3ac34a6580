using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies;

/// <summary>Of kinds that are asked and answered, never stored: reviews of tokens and of access. They need no name.</summary>
internal sealed class VirtualStrategy : IStrategy
{
    public IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = System.Collections.Frozen.FrozenDictionary<string, Func<JsonObject, string>>.Empty;

    public void Default(JsonObject tree)
    {
    }

    public void PrepareForCreate(JsonObject tree, StrategyContext context) => tree.Remove("status");

    public void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
    }

    public IEnumerable<FieldError> Validate(JsonObject tree, JsonObject? old, StrategyContext context)
    {
        var spec = Field.Root(tree)["spec"];
        var (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"]);
        if (tree.TextAt("kind").EndsWith("AccessReview", StringComparison.Ordinal) && resource.Exists == path.Exists)
            yield return spec["resourceAttributes"].Invalid("exactly one of nonResourceAttributes or resourceAttributes must be specified");
        if (tree.TextAt("kind") is "SubjectAccessReview" or "LocalSubjectAccessReview" && spec["user"].TextOrEmpty.Length == 0 && spec["groups"].Count == 0)
            yield return spec["user"].Invalid("at least one of user or group must be specified");
    }

    public IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => [];

    public long? GracePeriodSeconds(JsonObject tree, long? requested) => null;
}
