using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Registry.Manifests;
using Weft.Registry.Names;

namespace Weft.Cli.Images.Archives;

/// <summary>Reads what `docker save` wrote before it wrote OCI layouts: manifest.json, configurations, layers as tars. The manifest is made here.</summary>
internal static class DockerArchive
{
    /// <returns>Null when there is no manifest.json.</returns>
    internal static IReadOnlyList<ImagePlan>? Read(ImageFiles files)
    {
        if (files.Read("manifest.json", OciLayout.MaxManifest) is not { } content)
            return null;
        using var document = OciLayout.Parse(content, "manifest.json");
        if (document.RootElement.ValueKind != JsonValueKind.Array || document.RootElement.GetArrayLength() == 0)
            throw new ArchiveException("manifest.json names no image");
        return [.. document.RootElement.EnumerateArray().Select(image => Image(files, image))];
    }

    private static ImagePlan Image(ImageFiles files, JsonElement image)
    {
        var file = OciLayout.Text(image, "Config") ?? throw new ArchiveException("manifest.json has an image without a Config");
        var config = files.Read(file, OciLayout.MaxManifest) ?? throw new ArchiveException($"the configuration {Shown(file)} is not in the archive");
        var layerFiles = Texts(image, "Layers");
        var expected = DiffIds(config);
        if (expected.Count != layerFiles.Count)
            throw new ArchiveException($"the image has {layerFiles.Count} layers, but its configuration names {expected.Count}");

        var blobs = new List<PlannedBlob> { new(Digest.Of(config), config.Length, file) };
        var layers = new JsonArray();
        foreach (var (name, diff) in layerFiles.Zip(expected))
        {
            using var layer = files.Open(name) ?? throw new ArchiveException($"the layer {Shown(name)} is not in the archive");
            var compressed = layer.ReadByte() == 0x1F && layer.ReadByte() == 0x8B;
            layer.Position = 0;
            var digest = Digest.FromHash(SHA256.HashData(layer));
            // A compressed layer has another digest; whoever unpacks it checks the one of its content.
            if (!compressed && digest != diff)
                throw new ArchiveException($"the layer {Shown(name)} has other content than the image's configuration says: the archive is damaged, or was changed");
            blobs.Add(new PlannedBlob(digest, layer.Length, name));
            layers.Add((JsonNode)Descriptor(MediaTypes.OciLayer + (compressed ? "+gzip" : ""), digest, layer.Length));
        }

        var manifest = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(MediaTypes.OciConfig, blobs[0].Digest, config.Length),
            ["layers"] = layers,
        }.ToJsonString());
        var names = Texts(image, "RepoTags").Select(tag => ImageReference.TryParse(tag) ?? throw new ArchiveException($"'{Shown(tag)}' is no name of an image"));
        return new ImagePlan([.. names], [.. blobs.DistinctBy(blob => blob.Digest)], [new PlannedManifest(Digest.Of(manifest), MediaTypes.OciManifest, manifest)]);
    }

    private static List<Digest> DiffIds(byte[] config)
    {
        using var document = OciLayout.Parse(config, "the image's configuration");
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("rootfs", out var rootfs))
            throw new ArchiveException("the image's configuration has no rootfs");
        return [.. Texts(rootfs, "diff_ids").Select(id => Digest.TryParse(id) ?? throw new ArchiveException("the image's configuration has a layer without a sha256 digest"))];
    }

    private static List<string> Texts(JsonElement element, string member)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(member, out var list) || list.ValueKind != JsonValueKind.Array)
            return [];
        return [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw new ArchiveException($"{member} has an entry that is no text"))];
    }

    private static JsonObject Descriptor(string type, Digest digest, long size) => new() { ["mediaType"] = type, ["digest"] = digest.ToString(), ["size"] = size };

    private static string Shown(string name) => "'" + new string([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]) + "'";
}
