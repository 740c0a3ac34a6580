using System.Text.Json;
using Weft.Registry;
using Weft.Registry.Manifests;
using Weft.Registry.Names;

namespace Weft.Cli.Images.Archives;

/// <summary>Reads an OCI image layout (image-spec, image-layout.md): what skopeo, buildah, containerd and today's docker write.</summary>
internal static class OciLayout
{
    internal const int MaxManifest = 4 << 20;

    // An index of an index is seen in the wild, deeper is not.
    private const int MaxDepth = 4;
    private const int MaxManifests = 1000;

    /// <returns>Null when there is no layout.</returns>
    internal static IReadOnlyList<ImagePlan>? Read(ImageFiles files)
    {
        if (files.Read("index.json", MaxManifest) is not { } content)
            return null;
        using var index = Parse(content, "index.json");
        if (!index.RootElement.TryGetProperty("manifests", out var manifests) || manifests.ValueKind != JsonValueKind.Array)
            throw new ArchiveException("index.json has no list of manifests");

        // One image may have several names, each with an entry of its own.
        var plans = new List<ImagePlan>();
        foreach (var image in manifests.EnumerateArray().GroupBy(entry => Digest.TryParse(Text(entry, "digest")) ?? throw new ArchiveException("index.json has an entry without a sha256 digest")))
        {
            var walk = new Walk(files);
            walk.Visit(image.Key, Text(image.First(), "mediaType"), 0);
            if (walk.Blobs.Count == 0)
                throw new ArchiveException($"the image {image.Key} has no platform whose files are in the archive");
            plans.Add(new ImagePlan([.. image.Select(Name).OfType<ImageReference>().Distinct()], [.. walk.Blobs.Values], walk.Manifests));
        }

        return plans.Count > 0 ? plans : throw new ArchiveException("index.json names no image");
    }

    internal static JsonDocument Parse(byte[] content, string file)
    {
        try
        {
            return JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException broken)
        {
            throw new ArchiveException($"{file} is no JSON: {broken.Message}");
        }
    }

    internal static string? Text(JsonElement element, string member) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ImageReference? Name(JsonElement entry)
    {
        if (!entry.TryGetProperty("annotations", out var annotations))
            return null;
        // containerd and docker write the full name; skopeo writes what it was told, buildah only the tag, which is no name.
        if (Text(annotations, "io.containerd.image.name") is { Length: > 0 } full)
            return ImageReference.TryParse(full) ?? throw new ArchiveException($"'{full}' is no name of an image");
        return Text(annotations, "org.opencontainers.image.ref.name") is { } name && name.AsSpan().IndexOfAny(':', '/') >= 0 ? ImageReference.TryParse(name) : null;
    }

    private sealed class Walk(ImageFiles files)
    {
        internal Dictionary<Digest, PlannedBlob> Blobs { get; } = [];
        internal List<PlannedManifest> Manifests { get; } = [];
        private readonly HashSet<Digest> _seen = [];

        internal void Visit(Digest digest, string? mediaType, int depth)
        {
            if (!_seen.Add(digest))
                return;
            if (depth > MaxDepth || _seen.Count > MaxManifests)
                throw new ArchiveException($"its indexes are nested deeper than {MaxDepth}, or name more than {MaxManifests} manifests");
            if (files.Read(File(digest), MaxManifest) is not { } content)
            {
                // Of an index, a platform that was not saved; what index.json itself names must be there.
                if (depth > 0)
                    return;
                throw new ArchiveException($"the manifest {digest} is not in the archive");
            }

            if (Digest.Of(content) != digest)
                throw new ArchiveException($"the manifest {digest} has other content: the archive is damaged, or was changed");

            var manifest = Manifest(content, mediaType, digest);
            foreach (var child in manifest.Manifests)
                Visit(child, null, depth + 1);
            var blobs = new List<PlannedBlob>();
            foreach (var blob in manifest.Blobs)
            {
                using var file = files.Open(File(blob));
                if (file is null)
                {
                    // docker saves the manifests of all platforms, and the layers of those that it has.
                    if (depth > 0)
                        return;
                    throw new ArchiveException($"the blob {blob} is not in the archive");
                }

                blobs.Add(new PlannedBlob(blob, file.Length, File(blob)));
            }

            foreach (var blob in blobs)
                Blobs[blob.Digest] = blob;
            Manifests.Add(new PlannedManifest(digest, manifest.MediaType, content));
        }

        private static Manifest Manifest(byte[] content, string? mediaType, Digest digest)
        {
            try
            {
                return Registry.Manifests.Manifest.Parse(mediaType, content);
            }
            catch (RegistryException wrong)
            {
                throw new ArchiveException($"the manifest {digest}: {wrong.Message}");
            }
        }

        private static string File(Digest digest) => "blobs/sha256/" + digest.Hex;
    }
}
