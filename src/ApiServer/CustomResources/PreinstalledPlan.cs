using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api.ApiExtensions;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.CustomResources;

/// <summary>
/// How a definition that the program makes tells later starts that it is still the program's. Nobody owns a field of its spec, so who applies another one over it meets no conflict,
/// and whoever writes to the spec, in whatever way, either owns fields of it from then on or has raised the generation.
/// </summary>
internal static class PreinstalledPlan
{
    /// <summary>Annotation: the <see cref="PreinstalledDefinition.Edition"/> that looked at the definition last.</summary>
    public const string Edition = "weft.dev/preinstalled-edition";

    /// <summary>Annotation: `metadata.generation` as the program left it. Absent: 1, of programs that did not renew.</summary>
    public const string Generation = "weft.dev/preinstalled-generation";

    public static bool IsOf(string edition, JsonObject metadata) => Annotation(metadata, Edition) == edition;

    /// <summary>True as long as nobody but the program has written the spec, or has taken the label off, which says the same.</summary>
    public static bool IsAsMade(JsonObject metadata)
    {
        var owned = (metadata["managedFields"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        return metadata["deletionTimestamp"] is null
            && owned.Any(entry => entry["manager"].AsText() == StartObjects.Manager && entry.At("fieldsV1", "f:metadata", "f:labels", $"f:{CrdManifest.Label}") is not null)
            && owned.All(entry => entry.At("fieldsV1", "f:spec") is null)
            && (Metadata.Number(metadata, "generation") ?? 0).ToString(CultureInfo.InvariantCulture) == (Annotation(metadata, Generation) ?? "1");
    }

    /// <summary>Completes the metadata of a definition that there was none of.</summary>
    public static void Born(JsonObject tree, string edition, string uid, DateTimeOffset now)
    {
        var metadata = Metadata.Of(tree);
        metadata["uid"] = uid;
        metadata["creationTimestamp"] = Metadata.Time(now);
        metadata["generation"] = 1;
        Mark(metadata, edition, 1);
        metadata["managedFields"] = new JsonArray(new JsonObject
        {
            ["manager"] = StartObjects.Manager, ["operation"] = "Update", ["apiVersion"] = "apiextensions.k8s.io/v1", ["time"] = Metadata.Time(now), ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = new JsonObject { ["f:metadata"] = new JsonObject { ["f:labels"] = new JsonObject { [$"f:{CrdManifest.Label}"] = new JsonObject() } } },
        });
    }

    /// <summary>The stored definition with the spec, and with the labels and annotations, of the manifest; unchanged when it is no longer the program's. The arguments stay as they are.</summary>
    public static JsonObject Renewed(JsonObject old, JsonObject manifest, string edition)
    {
        var next = (JsonObject)old.DeepClone();
        var metadata = Metadata.Of(next);
        if (!IsAsMade(metadata))
            return next;
        foreach (var name in (string[])["labels", "annotations"])
            foreach (var (key, value) in manifest.At("metadata", name) as JsonObject ?? [])
                CrdConditions.Child(metadata, name)[key] = value?.DeepClone();
        var generation = Metadata.Number(metadata, "generation") ?? 0;
        Mark(metadata, edition, JsonNode.DeepEquals(old["spec"], manifest["spec"]) ? generation : generation + 1);
        next["spec"] = manifest["spec"]?.DeepClone();
        return next;
    }

    /// <summary>False where a renewal notes no more than who has looked: most builds change few definitions.</summary>
    public static bool Differs(JsonObject old, JsonObject renewed) =>
        !JsonNode.DeepEquals(old["spec"], renewed["spec"]) || !JsonNode.DeepEquals(old.At("metadata", "labels"), renewed.At("metadata", "labels"));

    private static void Mark(JsonObject metadata, string edition, long generation)
    {
        var annotations = CrdConditions.Child(metadata, "annotations");
        annotations[Edition] = edition;
        annotations[Generation] = generation.ToString(CultureInfo.InvariantCulture);
    }

    private static string? Annotation(JsonObject metadata, string name) => metadata.At("annotations", name).AsText();
}
