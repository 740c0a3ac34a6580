using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Selectors;
using Weft.Api.Trees;

namespace Weft.ApiServer.Registry;

/// <summary>What holds for the metadata of every kind (apimachinery's ValidateObjectMeta). Which names a kind allows is its strategy's affair.</summary>
internal static class MetadataRules
{
    // TotalAnnotationSizeLimitB: annotations are for tools, not a second store.
    private const int MaxAnnotationBytes = 256 * 1024;

    public static IEnumerable<FieldError> Check(ResourceInfo resource, JsonObject tree, JsonObject? old)
    {
        var metadata = Metadata.Of(tree);
        var name = Metadata.Text(metadata, "name");
        if (name.Length == 0)
            yield return FieldError.Required("metadata.name", "name or generateName is required");
        else if (name is "." or ".." || name.AsSpan().IndexOfAny('/', '%') >= 0 || name.Length > 253)
            yield return FieldError.Invalid("metadata.name", Quote(name), "must be at most 253 characters, not be '.' or '..', and not contain '/' or '%'");

        foreach (var error in CheckLabels(metadata).Concat(CheckAnnotations(metadata)).Concat(CheckFinalizers(metadata, old)).Concat(CheckOwners(metadata)))
            yield return error;
    }

    private static IEnumerable<FieldError> CheckLabels(JsonObject metadata)
    {
        if (metadata["labels"] is not { } node)
            yield break;
        if (node is not JsonObject labels)
        {
            yield return Wrong("metadata.labels", node, "must be an object");
            yield break;
        }

        foreach (var (key, value) in labels)
        {
            if (LabelRules.KeyProblem(key) is { } keyProblem)
                yield return FieldError.Invalid("metadata.labels", Quote(key), keyProblem);
            if (value.AsText() is not { } text)
                yield return Wrong($"metadata.labels[{key}]", value, "must be a string");
            else if (LabelRules.ValueProblem(text) is { } valueProblem)
                yield return FieldError.Invalid("metadata.labels", Quote(text), valueProblem);
        }
    }

    private static IEnumerable<FieldError> CheckAnnotations(JsonObject metadata)
    {
        if (metadata["annotations"] is not { } node)
            yield break;
        if (node is not JsonObject annotations)
        {
            yield return Wrong("metadata.annotations", node, "must be an object");
            yield break;
        }

        var total = 0L;
        foreach (var (key, value) in annotations)
        {
            if (LabelRules.KeyProblem(key.ToLowerInvariant()) is { } problem)
                yield return FieldError.Invalid("metadata.annotations", Quote(key), problem);
            if (value.AsText() is not { } text)
                yield return Wrong($"metadata.annotations[{key}]", value, "must be a string");
            else
                total += key.Length + text.Length;
        }
        if (total > MaxAnnotationBytes)
            yield return new FieldError(FieldErrorKind.TooLong, "metadata.annotations", null, $"may not be more than {MaxAnnotationBytes} bytes");
    }

    private static IEnumerable<FieldError> CheckFinalizers(JsonObject metadata, JsonObject? old)
    {
        var finalizers = Metadata.Strings(metadata, "finalizers");
        foreach (var finalizer in finalizers)
        {
            if (LabelRules.KeyProblem(finalizer) is { } problem)
                yield return FieldError.Invalid("metadata.finalizers", Quote(finalizer), problem);
        }

        if (old is null || !Metadata.IsBeingDeleted(old))
            yield break;
        var added = finalizers.Except(Finalizers.Of(old)).ToList();
        if (added.Count > 0)
            yield return FieldError.Forbidden("metadata.finalizers",
                $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(Quote))}}}");
    }

    private static IEnumerable<FieldError> CheckOwners(JsonObject metadata)
    {
        if (metadata["ownerReferences"] is not { } node)
            yield break;
        if (node is not JsonArray owners)
        {
            yield return Wrong("metadata.ownerReferences", node, "must be an array");
            yield break;
        }

        var controllers = 0;
        for (var i = 0; i < owners.Count; i++)
        {
            var path = $"metadata.ownerReferences[{i}]";
            foreach (var field in (string[])["apiVersion", "kind", "name", "uid"])
            {
                if (owners[i].At(field).AsText() is not { Length: > 0 })
                    yield return FieldError.Required($"{path}.{field}", $"{field} must not be empty");
            }
            if (owners[i].At("controller").AsBoolean() == true && ++controllers == 2)
                yield return FieldError.Invalid("metadata.ownerReferences", null, "Only one reference can have Controller set to true");
        }
    }

    private static FieldError Wrong(string path, JsonNode? value, string detail) => new(FieldErrorKind.TypeInvalid, path, value?.ToJsonString() ?? "null", detail);

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
