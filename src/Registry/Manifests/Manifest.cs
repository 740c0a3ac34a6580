using System.Text.Json;
using Weft.Registry.Names;

namespace Weft.Registry.Manifests;

/// <summary>What the registry needs to know of a manifest: its type, and what it points at. Everything else is its reader's affair.</summary>
/// <param name="Blobs">Configuration and layers: must be here before the manifest is.</param>
/// <param name="Manifests">Of an index: one for each platform; those that a user left out need not be here.</param>
internal sealed record Manifest(string MediaType, IReadOnlyList<Digest> Blobs, IReadOnlyList<Digest> Manifests)
{
    /// <summary>An image that this one says something about (signature, bill of materials).</summary>
    internal Digest? Subject { get; init; }

    internal string ArtifactType { get; init; } = "";

    internal IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    // Of an index, "<os>/<architecture>"; of an image, sizes add up to what it weighs.
    internal long BlobBytes { get; init; }

    /// <exception cref="RegistryException">It is no manifest that clients of today read.</exception>
    internal static Manifest Parse(string? contentType, ReadOnlySpan<byte> content)
    {
        try
        {
            var reader = new Utf8JsonReader(content, new JsonReaderOptions { MaxDepth = 32 });
            using var document = JsonDocument.ParseValue(ref reader);
            if (reader.Read())
                throw RegistryException.ManifestInvalid("something follows the manifest's last brace");
            return Read(contentType, document.RootElement);
        }
        catch (JsonException broken)
        {
            throw RegistryException.ManifestInvalid($"the manifest is no JSON: {broken.Message}");
        }
        catch (InvalidOperationException wrong)
        {
            throw RegistryException.ManifestInvalid($"the manifest has a member of the wrong type: {wrong.Message}");
        }
    }

    private static Manifest Read(string? contentType, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw RegistryException.ManifestInvalid("the manifest is no JSON object");
        if (!root.TryGetProperty("schemaVersion", out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var schema) || schema != 2)
            throw RegistryException.ManifestInvalid("schemaVersion is not 2: images of before 2017 must be converted, for example with 'skopeo copy --format oci'");

        var own = Text(root, "mediaType");
        var type = MediaTypes.Bare(contentType) is { Length: > 0 } sent && sent != "application/json" ? sent : own ?? Guess(root);
        // The same bytes must not be two things (CVE-2021-41190).
        if (own is not null && own != type)
            throw RegistryException.ManifestInvalid($"Content-Type is {type}, but the manifest's mediaType is {own}");
        if (!MediaTypes.IsManifest(type))
            throw RegistryException.ManifestInvalid($"{type} is no kind of manifest that is known here: use an OCI or docker (schema 2) manifest or index");
        var isIndex = MediaTypes.IsIndex(type);
        if (isIndex ? root.TryGetProperty("layers", out _) || root.TryGetProperty("config", out _) : root.TryGetProperty("manifests", out _))
            throw RegistryException.ManifestInvalid("the manifest has members of an image and of an index: it must be one of them");

        var blobs = new List<Digest>();
        var children = new List<Digest>();
        var bytes = 0L;
        if (isIndex)
        {
            foreach (var child in Items(root, "manifests", required: true))
                children.Add(Descriptor(child, "manifests"));
        }
        else
        {
            var config = root.TryGetProperty("config", out var found) ? found : throw RegistryException.ManifestInvalid("the manifest has no config");
            blobs.Add(Descriptor(config, "config"));
            bytes += Size(config);
            // A layer that lies elsewhere by design (`urls`) is not pushed.
            foreach (var layer in Items(root, "layers", required: true).Where(layer => !MediaTypes.IsForeign(Text(layer, "mediaType"))))
            {
                blobs.Add(Descriptor(layer, "layers"));
                bytes += Size(layer);
            }
        }

        return new Manifest(type, blobs, children)
        {
            Subject = root.TryGetProperty("subject", out var subject) ? Descriptor(subject, "subject") : null,
            // Without one of its own an artifact is what its configuration says (distribution-spec 1.1, "Listing Referrers").
            ArtifactType = Text(root, "artifactType") ?? (root.TryGetProperty("config", out var c) ? Text(c, "mediaType") : null) ?? "",
            Annotations = Texts(root),
            BlobBytes = bytes,
        };
    }

    private static string Guess(JsonElement root) =>
        root.TryGetProperty("manifests", out _) ? MediaTypes.OciIndex : MediaTypes.OciManifest;

    private static Digest Descriptor(JsonElement descriptor, string where)
    {
        if (descriptor.ValueKind != JsonValueKind.Object)
            throw RegistryException.ManifestInvalid($"{where} is no descriptor");
        return Digest.TryParse(Text(descriptor, "digest"))
            ?? throw RegistryException.ManifestInvalid($"a descriptor of {where} has no digest of the form sha256:<64 hexadecimal digits>");
    }

    private static long Size(JsonElement descriptor) =>
        descriptor.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var bytes) && bytes is >= 0 and < 1L << 50
            ? bytes
            : throw RegistryException.ManifestInvalid("a descriptor has no size");

    private static IEnumerable<JsonElement> Items(JsonElement root, string member, bool required)
    {
        if (root.TryGetProperty(member, out var items) && items.ValueKind == JsonValueKind.Array)
            return items.EnumerateArray();
        return required ? throw RegistryException.ManifestInvalid($"the manifest has no list of {member}") : [];
    }

    private static Dictionary<string, string> Texts(JsonElement root)
    {
        var texts = new Dictionary<string, string>();
        if (root.TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Object)
        {
            foreach (var annotation in annotations.EnumerateObject().Where(annotation => annotation.Value.ValueKind == JsonValueKind.String))
                texts[annotation.Name] = annotation.Value.GetString()!;
        }

        return texts;
    }

    private static string? Text(JsonElement element, string member) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
