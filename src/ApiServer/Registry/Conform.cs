using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Cel.Rules;
using Weft.Api.Trees;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Registry;

/// <summary>Makes a tree fit its schema: unknown fields go, defaults come, and what still does not fit is told.</summary>
internal static class Conform
{
    // As many unknown or repeated fields as one warning or refusal names.
    private const int MaxReported = 100;

    public static void PruneAndDefault(ResourceInfo resource, JsonObject tree)
    {
        Pruner.Prune(tree, resource.Schema);
        Default(resource, tree);
    }

    public static void Default(ResourceInfo resource, JsonObject tree)
    {
        // Null is absent where the schema knows the member and does not call it nullable; a default then takes its place.
        Pruner.DropNulls(tree, resource.Schema);
        if (resource.IsCustom && tree["metadata"] is JsonObject metadata)
            DropNullMembers(metadata);
        Defaulter.Apply(tree, resource.Schema);
        resource.Strategy.Default(tree);
    }

    public static IReadOnlyList<FieldError> Validate(ResourceInfo resource, JsonObject tree, JsonObject? old)
    {
        var errors = StructuralValidator.Validate(tree, resource.Schema, old, checkListKeys: resource.IsCustom, ratchet: resource.IsCustom);
        // Rules count on values of the schema's types.
        return errors.Count > 0 || !resource.IsCustom ? errors : RuleValidator.Validate(tree, resource.Schema, old);
    }

    /// <summary>Prunes what the client sent and says what was unknown: as warnings, as a refusal, or not at all.</summary>
    public static void ReportUnknown(WriteContext context, JsonObject tree)
    {
        var unknown = Pruner.Prune(tree, context.Resource.Schema);
        Report(context, [.. unknown.Select(path => $"unknown field \"{path}\"")]);
    }

    public static void ReportDuplicates(WriteContext context, IReadOnlyList<string> duplicates) =>
        Report(context, [.. duplicates.Select(path => $"duplicate field \"{path}\"")]);

    private static void Report(WriteContext context, IReadOnlyList<string> findings)
    {
        if (findings.Count == 0 || context.Validation == FieldValidation.Ignore)
            return;
        var shown = findings.Take(MaxReported).ToList();
        if (context.Validation == FieldValidation.Strict)
            throw Statuses.BadRequest($"{context.Resource.Kind.Kind} in version \"{context.Resource.Kind.Version}\" cannot be handled as a {context.Resource.Kind.Kind}: strict decoding error: {string.Join(", ", shown)}");
        foreach (var finding in shown)
            context.Warn(finding);
    }

    private static void DropNullMembers(JsonObject parent)
    {
        foreach (var name in parent.Where(member => member.Value is null).Select(member => member.Key).ToList())
            parent.Remove(name);
    }
}
