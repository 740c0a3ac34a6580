using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;

namespace Weft.Node.Tests.Runtime;

/// <summary>A small OCI archive of Debian's static busybox, written by hand: `ctr images import` takes it.</summary>
internal sealed record TestImage(string Name)
{
    public IReadOnlyList<string> Entrypoint { get; init; } = [];
    public IReadOnlyList<string> Command { get; init; } = [];
    public string User { get; init; } = "";
    public string StopSignal { get; init; } = "";
    public string? Directory { get; init; }
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Written last, as they are: what a layer made by a stranger may hold.</summary>
    public IReadOnlyList<PaxTarEntry> Entries { get; init; } = [];

    private static readonly string[] Programs =
        ["sh", "sleep", "cat", "echo", "id", "sha256sum", "grep", "ls", "hostname", "touch", "tail", "stty", "tty", "kill", "ps", "nc", "httpd", "wget", "mount", "ping", "dd", "head", "printf", "env", "pwd", "ip"];

    public void Write(string path)
    {
        var layer = Layer();
        var layerDigest = Digest(layer);
        var config = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["architecture"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
            ["os"] = "linux",
            ["config"] = new Dictionary<string, object?>
            {
                ["Env"] = new[] { "PATH=/bin", "FROM_IMAGE=yes" }, ["Entrypoint"] = Entrypoint, ["Cmd"] = Command, ["User"] = User, ["WorkingDir"] = Directory ?? "/",
                ["StopSignal"] = StopSignal.Length > 0 ? StopSignal : null,
            },
            ["rootfs"] = new Dictionary<string, object> { ["type"] = "layers", ["diff_ids"] = new[] { layerDigest } },
        });
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = Descriptor("application/vnd.oci.image.config.v1+json", config),
            ["layers"] = new[] { Descriptor("application/vnd.oci.image.layer.v1.tar", layer) },
        });
        var entry = Descriptor("application/vnd.oci.image.manifest.v1+json", manifest);
        entry["annotations"] = new Dictionary<string, string> { ["io.containerd.image.name"] = Name };
        var index = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["schemaVersion"] = 2, ["manifests"] = new[] { entry } });

        using var file = File.Create(path);
        using var tar = new TarWriter(file, TarEntryFormat.Pax);
        Add(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"u8.ToArray());
        Add(tar, "index.json", index);
        foreach (var blob in new[] { layer, config, manifest })
            Add(tar, "blobs/sha256/" + Digest(blob)["sha256:".Length..], blob);
    }

    private byte[] Layer()
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var directory in new[] { "bin", "etc", "proc", "sys", "dev", "tmp", "root" })
                tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, directory) { Mode = directory == "tmp" ? (UnixFileMode)0b001_111_111_111 : (UnixFileMode)0b111_101_101 });
            Add(tar, "bin/busybox", File.ReadAllBytes("/bin/busybox"), executable: true);
            foreach (var program in Programs)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + program) { LinkName = "busybox" });
            Add(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1234:2345:app:/:/bin/sh\n"u8.ToArray());
            Add(tar, "etc/group", "root:x:0:\napp:x:2345:\n"u8.ToArray());
            foreach (var (name, text) in Files)
                Add(tar, name, System.Text.Encoding.UTF8.GetBytes(text));
            foreach (var entry in Entries)
                tar.WriteEntry(entry);
        }
        return bytes.ToArray();
    }

    private static void Add(TarWriter tar, string name, byte[] content, bool executable = false) =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), Mode = (UnixFileMode)(executable ? 0b111_101_101 : 0b110_100_100) });

    private static Dictionary<string, object> Descriptor(string type, byte[] blob) => new() { ["mediaType"] = type, ["digest"] = Digest(blob), ["size"] = blob.Length };

    private static string Digest(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));
}
