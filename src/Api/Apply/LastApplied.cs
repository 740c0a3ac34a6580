using System.Text;
using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.Api.Trees;

namespace Weft.Api.Apply;

/// <summary>
/// What client-side `kubectl apply` left behind, so that `kubectl apply --server-side` can take over: the manager `kubectl` may overwrite a field whose value is
/// still the one that client-side apply recorded in its annotation.
/// </summary>
internal static class LastApplied
{
    internal const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";
    internal const string Manager = "kubectl";

    // All annotations together may have 256 KiB (validation.TotalAnnotationSizeLimitB); a larger one is left as it was.
    private const int MaxAnnotationBytes = 256 * 1024;

    /// <summary>The fields that may be taken without a conflict; null without a readable annotation.</summary>
    public static FieldSet? AllowedConflicts(JsonObject live, Schema schema, Action<JsonObject> complete)
    {
        if (live.At("metadata", "annotations", Annotation).AsText() is not { } text)
            return null;
        if (Parsed(text) is not { } recorded)
            return null;
        var fields = TypedTree.Fields(recorded, schema);
        complete(recorded);
        return fields.Difference(TreeComparison.Of(live, recorded, schema).Modified);
    }

    /// <summary>Keeps the annotation in step, so that a later client-side apply computes its patch from what was applied last.</summary>
    public static void Refresh(JsonObject? live, JsonObject result, JsonObject config)
    {
        if (live.At("metadata", "annotations", Annotation).AsText() is not { } before || result.At("metadata", "annotations") is not JsonObject annotations)
            return;
        var record = (JsonObject)config.DeepClone();
        (record.At("metadata") as JsonObject)?.Remove("managedFields");
        (record.At("metadata", "annotations") as JsonObject)?.Remove(Annotation);
        // Client-side apply writes `"annotations":{}` into its record: that alone is no reason for another text, and for a change that nobody made.
        if (Parsed(before) is { } recorded && JsonNode.DeepEquals(WithoutEmptyAnnotations(recorded), WithoutEmptyAnnotations(record)))
            return;
        var text = Encoding.UTF8.GetString(JsonTree.WriteUtf8(record)) + "\n";
        if (text.Length <= MaxAnnotationBytes)
            annotations[Annotation] = text;
    }

    private static JsonObject? Parsed(string text)
    {
        try
        {
            return JsonTree.Parse(Encoding.UTF8.GetBytes(text)).Root as JsonObject;
        }
        catch (TreeException)
        {
            // Anybody may write the annotation; one that cannot be read says nothing.
            return null;
        }
    }

    private static JsonObject WithoutEmptyAnnotations(JsonObject record)
    {
        if (record.At("metadata", "annotations") is not JsonObject { Count: 0 })
            return record;
        var copy = (JsonObject)record.DeepClone();
        copy["metadata"]!.AsObject().Remove("annotations");
        return copy;
    }
}
