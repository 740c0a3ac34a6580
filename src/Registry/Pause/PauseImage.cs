using System.Formats.Tar;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Registry.Manifests;
using Weft.Registry.Names;

namespace Weft.Registry.Pause;

/// <summary>The image of the pause container, made of <see cref="PauseProgram"/>: a few kilobytes for both architectures. The same bytes at each start.</summary>
public static class PauseImage
{
    /// <summary>What a containerd is told as its `sandbox_image`.</summary>
    public const string Name = "weft.dev/pause:1";

    // A '+' in a media type stays one.
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string Media = MediaTypes.OciManifest;

    /// <summary>Puts the image where it is pulled from. Nothing happens when it is there.</summary>
    public static async Task InstallAsync(ImageRegistry registry, CancellationToken cancellationToken)
    {
        var name = ImageReference.TryParse(Name)!;
        var index = new JsonArray();
        foreach (var architecture in PauseProgram.Architectures)
        {
            var manifest = Bytes(Image(registry, architecture));
            var digest = Digest.Of(manifest);
            if (registry.Repositories.Find(name.Repository, digest.ToString()) is null)
                await registry.PutManifestAsync(name.Repository, digest.ToString(), Media, manifest, cancellationToken);
            var descriptor = Descriptor(Media, digest, manifest.Length);
            descriptor["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
            index.Add((JsonNode)descriptor);
        }

        var content = Bytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = index });
        if (registry.Repositories.Find(name.Repository, name.Reference)?.Digest != Digest.Of(content))
            await registry.PutManifestAsync(name.Repository, name.Reference, MediaTypes.OciIndex, content, cancellationToken);
    }

    private static JsonObject Image(ImageRegistry registry, string architecture)
    {
        var layer = Layer(PauseProgram.For(architecture));
        var config = Bytes(new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject { ["User"] = "65535:65535", ["Entrypoint"] = new JsonArray("/pause"), ["WorkingDir"] = "/" },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest.Of(layer).ToString()) },
        });
        return new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Media,
            ["config"] = Descriptor(MediaTypes.OciConfig, registry.Blobs.Add(config), config.Length),
            ["layers"] = new JsonArray(Descriptor(MediaTypes.OciLayer, registry.Blobs.Add(layer), layer.Length)),
        };
    }

    // Not compressed: what a compressor makes of it may change with the runtime, and the digest with it.
    private static byte[] Layer(byte[] program)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "pause")
            {
                Mode = (UnixFileMode)0b101_101_101, // r-xr-xr-x
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(program),
            });
        }

        return buffer.ToArray();
    }

    private static JsonObject Descriptor(string type, Digest digest, int size) => new() { ["mediaType"] = type, ["digest"] = digest.ToString(), ["size"] = size };

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString(Plain));
}
