using System.Text.Json.Nodes;

namespace Weft.Api.Patches;

/// <summary>RFC 6901: `/spec/containers/0/image`, with `~1` for a slash and `~0` for a tilde.</summary>
internal readonly record struct JsonPointer(string Text, IReadOnlyList<string> Steps)
{
    public static JsonPointer Parse(string text)
    {
        if (text.Length == 0)
            return new(text, []);
        if (text[0] != '/')
            throw new PatchException(PatchFailure.Malformed, $"the path \"{text}\" must be empty or start with a slash");
        return new(text, [.. text[1..].Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]);
    }

    public bool IsRoot => Steps.Count == 0;

    public string Last => Steps[^1];

    /// <summary>The object or array that holds the place, or null when there is none.</summary>
    public JsonNode? Parent(JsonNode? root)
    {
        for (var i = 0; i < Steps.Count - 1; i++)
            if (!TryStep(root, Steps[i], out root))
                return null;
        return root;
    }

    public bool TryGet(JsonNode? root, out JsonNode? value)
    {
        value = root;
        foreach (var step in Steps)
            if (!TryStep(value, step, out value))
                return false;
        return true;
    }

    public bool IsWithin(JsonPointer other) => Steps.Count > other.Steps.Count && Steps.Take(other.Steps.Count).SequenceEqual(other.Steps);

    /// <summary>An array index below <paramref name="limit"/>; no sign, no leading zero.</summary>
    public static int? Index(string step, int limit) =>
        step.Length is > 0 and < 10 && step.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0 && (step.Length == 1 || step[0] != '0')
        && int.Parse(step, System.Globalization.CultureInfo.InvariantCulture) is var index && index < limit ? index : null;

    private static bool TryStep(JsonNode? node, string step, out JsonNode? value)
    {
        value = null;
        if (node is JsonObject members)
            return members.TryGetPropertyValue(step, out value);
        if (node is not JsonArray list || Index(step, list.Count) is not { } index)
            return false;
        value = list[index];
        return true;
    }
}
