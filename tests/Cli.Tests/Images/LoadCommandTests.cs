using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Cli.Images;
using Weft.Cli.Objects;
using Weft.Registry;
using Weft.Registry.Access;
using Weft.Registry.Http;
using Weft.Registry.Names;
using Weft.Registry.Pause;
using Weft.Testing;

namespace Weft.Cli.Tests.Images;

/// <summary>Files of all forms that the real skopeo writes, into a real registry and out of it again.</summary>
public sealed class LoadCommandTests : IAsyncLifetime
{
    private readonly TempDir _directory = new();
    private readonly StringWriter _output = new();
    private ImageRegistry _registry = null!;
    private RegistryServer _server = null!;
    private RegistryClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = new ImageRegistry(new RegistryOptions(_directory.File("registry")) { DiskReserveBytes = 0 }, TimeProvider.System, NullLogger.Instance);
        var password = _directory.File("password");
        var endpoint = new RegistryEndpoint(_registry, new RegistryAccess(PushPassword.LoadOrCreate(password), TimeProvider.System), NullLogger.Instance);
        _server = (await RegistryServer.TryStartAsync(endpoint, new IPEndPoint(IPAddress.Loopback, 0), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None))!;
        _client = new RegistryClient(_server.Port, PushPassword.Read(password));
        await PauseImage.InstallAsync(_registry, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        await _registry.DisposeAsync();
        _directory.Dispose();
        _output.Dispose();
    }

    [Theory]
    [InlineData("oci-archive:{0}:quay.io/team/app:v1", true)]
    [InlineData("oci-archive:{0}", false)]
    [InlineData("oci:{0}", false)]
    [InlineData("docker-archive:{0}:quay.io/team/app:v1", true)]
    public async Task Loads_what_skopeo_writes(string form, bool named)
    {
        var file = _directory.File("image");
        await PullPauseAsync(string.Format(form, file));

        await LoadAsync(file, named ? null : "quay.io/team/app:v1");
        await SkopeoAsync("copy", "--src-tls-verify=false", $"docker://127.0.0.1:{_server.Port}/quay.io/team/app:v1", "dir:" + _directory.File("back"));
        Assert.Contains("loaded quay.io/team/app:v1", _output.ToString(), StringComparison.Ordinal);

        var list = new StringWriter();
        await new ListCommand(_client, list).RunAsync(CancellationToken.None);
        Assert.Contains("quay.io/team/app   v1", list.ToString(), StringComparison.Ordinal);
        Assert.True(await _client.DeleteAsync(ImageReference.TryParse("quay.io/team/app:v1")!, CancellationToken.None));
        Assert.False(await _client.DeleteAsync(ImageReference.TryParse("quay.io/team/app:v1")!, CancellationToken.None));
    }

    [Fact]
    public async Task Loads_all_platforms_and_a_compressed_archive()
    {
        var file = _directory.File("image.tar");
        await PullPauseAsync("oci-archive:" + file, "--all");
        await using (var packed = new GZipStream(File.Create(file + ".gz"), CompressionLevel.Fastest))
            await packed.WriteAsync(await File.ReadAllBytesAsync(file));

        await LoadAsync(file + ".gz", "both:1");
        var (_, index) = (await _client.GetManifestAsync(RepositoryName.TryParse("both")!, "1", CancellationToken.None))!.Value;
        Assert.Equal(2, index.Manifests.Count);
    }

    [Fact]
    public async Task An_archive_without_a_name_asks_for_one()
    {
        var file = _directory.File("image.tar");
        await PullPauseAsync("oci-archive:" + file);
        var refusal = await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null));
        Assert.Contains("--as NAME[:TAG]", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_that_was_changed_is_found_before_anything_has_its_name()
    {
        var folder = _directory.File("layout");
        await PullPauseAsync("oci:" + folder);
        var manifest = (string)JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "index.json")))!["manifests"]![0]!["digest"]!;
        var path = Path.Combine(folder, "blobs", "sha256", manifest["sha256:".Length..]);
        var layer = (string)JsonNode.Parse(await File.ReadAllBytesAsync(path))!["layers"]![0]!["digest"]!;
        var layerPath = Path.Combine(folder, "blobs", "sha256", layer["sha256:".Length..]);

        // The registry has the layer already, from which nobody must conclude that the file is right: use another one.
        var bytes = await File.ReadAllBytesAsync(layerPath);
        var other = Digest.Of(Encoding.ASCII.GetBytes("something else"));
        var text = (await File.ReadAllTextAsync(path)).Replace(layer, other.ToString(), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Path.Combine(folder, "blobs", "sha256", other.Hex), bytes);
        var refusal = await Assert.ThrowsAsync<CommandException>(async () =>
        {
            await File.WriteAllTextAsync(path, text);
            await LoadAsync(folder, "bad:1");
        });
        Assert.Contains("other content", refusal.Message, StringComparison.Ordinal);

        var changed = Digest.Of(Encoding.UTF8.GetBytes(text));
        File.Move(path, Path.Combine(folder, "blobs", "sha256", changed.Hex));
        var index = Path.Combine(folder, "index.json");
        await File.WriteAllTextAsync(index, (await File.ReadAllTextAsync(index)).Replace(manifest, changed.ToString(), StringComparison.Ordinal));
        refusal = await Assert.ThrowsAsync<CommandException>(() => LoadAsync(folder, "bad:1"));
        Assert.Contains($"not {other}", refusal.Message, StringComparison.Ordinal);
        Assert.Null(await _client.GetManifestAsync(RepositoryName.TryParse("bad")!, "1", CancellationToken.None));
    }

    [Fact]
    public async Task Says_what_is_wrong_with_a_file_that_is_no_image()
    {
        var file = _directory.File("x");
        Assert.Contains("no such file", (await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null))).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "hello");
        Assert.Contains("no tar", (await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null))).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, new TarBytes().Add("readme").End());
        Assert.Contains("holds no image", (await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null))).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, [0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0]);
        Assert.Contains("unzstd", (await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null))).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(file, [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null));
        await File.WriteAllBytesAsync(file, new TarBytes().Add("manifest.json", """[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]"""u8.ToArray())
            .Add("c.json", """{"rootfs":{"diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"""u8.ToArray()).Add("l.tar", "x"u8.ToArray()).End());
        Assert.Contains("other content", (await Assert.ThrowsAsync<CommandException>(() => LoadAsync(file, null))).Message, StringComparison.Ordinal);
    }

    private Task<int> LoadAsync(string file, string? name) =>
        new LoadCommand(_client, () => Stream.Null, _output, onTerminal: false, TimeProvider.System).RunAsync([file], name, CancellationToken.None);

    private Task PullPauseAsync(string to, params string[] options) =>
        SkopeoAsync(["copy", .. options, "--src-tls-verify=false", $"docker://127.0.0.1:{_server.Port}/weft.dev/pause:1", to]);

    private static async Task SkopeoAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("skopeo", ["--insecure-policy", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await Eventually.EndsAsync(process.WaitForExitAsync());
        Assert.True(process.ExitCode == 0, string.Join('\n', await said));
    }
}
