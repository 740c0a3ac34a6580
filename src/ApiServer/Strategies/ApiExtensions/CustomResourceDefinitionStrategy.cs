using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.ApiExtensions;

/// <summary>Names and conditions of the status are set by the part that establishes kinds; here only which versions objects may be stored in.</summary>
internal sealed class CustomResourceDefinitionStrategy(ReservedResources reserved) : DefaultStrategy
{
    public override bool Namespaced => false;

    public override void Default(JsonObject tree)
    {
        if (tree.Object("spec") is not { } spec)
            return;
        if (spec.Object("names") is { } names && names.TextAt("kind") is { Length: > 0 } kind)
        {
            names.Default("singular", kind.ToLowerInvariant());
            names.Default("listKind", kind + "List");
        }
        spec.Ensure("conversion")?.Default("strategy", "None");
    }

    public override void PrepareForUpdate(JsonObject tree, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(tree, old, context);
        if (context.Subresource == "status" || tree.Ensure("status") is not { } status)
            return;
        AddStoredVersion(tree, status);
        if (old.Object("metadata").Object("labels").TextAt(CrdManifest.Label).Length > 0 && tree.Object("spec").Object("conversion").TextAt("strategy") is "" or "None")
            RemoveUnknownVersions(tree, status);
    }

    // The program's definition stands where others' will: theirs need not have the version that it stored. Without a conversion an object is the same in each.
    private static void RemoveUnknownVersions(JsonObject tree, JsonObject status)
    {
        var known = tree.Object("spec").Objects("versions").Select(version => version.TextAt("name")).ToHashSet();
        if (status["storedVersions"] is JsonArray stored)
            status["storedVersions"] = new JsonArray([.. stored.Select(item => new Field(item, "").Text).Where(known.Contains!).Select(text => (JsonNode?)text)]);
    }

    protected override JsonObject InitialStatus(JsonObject tree)
    {
        var status = new JsonObject
        {
            ["conditions"] = new JsonArray(),
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
        };
        AddStoredVersion(tree, status);
        return status;
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        context.Subresource == "status" ? StoredVersions(root)
        // The program's own are known to be right, and a start has no time to compile their rules.
        : context.IsOwn ? [] : CustomResourceDefinitionValidation.Validate(root, old, reserved);

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old)
    {
        foreach (var version in Field.Root(tree)["spec"]["versions"].Items)
        {
            foreach (var warning in SchemaWarnings.Of(version["schema"]["openAPIV3Schema"]))
                yield return warning;
        }
    }

    // Objects may lie in any version that ever was the stored one, until a migration takes it off the list.
    private static void AddStoredVersion(JsonObject tree, JsonObject status)
    {
        var stored = tree.Object("spec").Objects("versions").FirstOrDefault(version => version.FlagAt("storage")).TextAt("name");
        if (stored.Length == 0)
            return;
        if (status["storedVersions"] is not JsonArray list)
            status["storedVersions"] = list = [];
        if (!list.Any(item => new Field(item, "").Text == stored))
            list.Add(stored);
    }

    private static IEnumerable<FieldError> StoredVersions(Field root)
    {
        var known = root["spec"]["versions"].Items.Select(version => version["name"].Text).ToHashSet();
        var list = root["status"]["storedVersions"];
        if (list.Count == 0)
            yield return list.Invalid("must have at least one stored version");
        foreach (var version in list.Items)
        {
            if (!known.Contains(version.Text))
                yield return version.Invalid("must appear in spec.versions");
        }
    }
}
