using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Strategies;

/// <summary>Of custom kinds: the common rules of metadata; all else the schema of the CRD says.</summary>
/// <param name="selectable">Paths of `selectableFields`, such as `.spec.color`.</param>
internal sealed class CustomStrategy(bool namespaced, bool hasStatus, IReadOnlyList<string> selectable) : DefaultStrategy
{
    public override bool Namespaced => namespaced;
    public override bool HasStatus => hasStatus;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } =
        selectable.ToFrozenDictionary(path => path.TrimStart('.'), path => Reader(path.TrimStart('.').Split('.')));

    private static Func<JsonObject, string> Reader(string[] names) => tree =>
    {
        JsonNode? node = tree;
        foreach (var name in names)
            node = (node as JsonObject)?[name];
        return node switch { JsonValue value when value.TryGetValue<string>(out var text) => text, JsonValue other => other.ToJsonString(), _ => "" };
    };
}
