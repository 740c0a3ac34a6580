using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Registry.Access;
using Weft.Registry.Names;
using Weft.Registry.Pause;
using Weft.Registry.Tests.Kit;
using Weft.Testing;

namespace Weft.Registry.Tests;

/// <summary>What a process that ended at any point leaves, and what the next one makes of it.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task Images_are_there_again_and_halves_are_not()
    {
        await using var first = await RunningRegistry.StartAsync();
        var digest = await first.PushImageAsync("app", "1", "text");
        using var begun = await first.Client.PostAsync("/v2/app/blobs/uploads/", null);
        using (await first.Client.PatchAsync(begun.Headers.Location, new ByteArrayContent(new byte[1000])))
        {
        }

        // As after a kill -9: the first is still there with its files open, and never tidies up before the second begins.
        await using var second = new ImageRegistry(first.Registry.Options, TimeProvider.System, NullLogger.Instance);
        Assert.Equal(digest, second.Repositories.Find(RepositoryName.TryParse("app")!, "1")?.Digest);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(first.Registry.Options.Root, "uploads")));
        await second.CollectAsync(CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, (await first.Anonymous.GetAsync("/v2/app/manifests/1")).StatusCode);
    }

    [Fact]
    public async Task A_manifest_file_without_its_blob_is_a_miss_and_does_not_stop_the_collector()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var digest = await registry.PushImageAsync("app", "1", "text");
        File.Delete(registry.Registry.Blobs.PathOf(digest));
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Anonymous.GetAsync("/v2/app/manifests/1")).StatusCode);
        await registry.Registry.CollectAsync(CancellationToken.None);
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Anonymous.GetAsync("/v2/app/manifests/1")).StatusCode);
    }

    [Fact]
    public async Task The_pause_image_is_the_same_at_each_start()
    {
        await using var one = await RunningRegistry.StartAsync();
        await PauseImage.InstallAsync(one.Registry, CancellationToken.None);
        await PauseImage.InstallAsync(one.Registry, CancellationToken.None);
        await using var other = await RunningRegistry.StartAsync();
        await PauseImage.InstallAsync(other.Registry, CancellationToken.None);
        var name = RepositoryName.TryParse("weft.dev/pause")!;
        Assert.Equal(one.Registry.Repositories.Find(name, "1"), other.Registry.Repositories.Find(name, "1"));
        Assert.Equal(3, one.Registry.Repositories.ManifestsOf(name).Count); // the index and two platforms
    }

    [Fact]
    public void The_password_is_made_once_and_is_for_its_owner_alone()
    {
        using var directory = new TempDir();
        var path = directory.File("password");
        PushPassword.LoadOrCreate(path);
        var password = PushPassword.Read(path);
        Assert.Equal(40, password.Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        PushPassword.LoadOrCreate(path);
        Assert.Equal(password, PushPassword.Read(path));
        File.WriteAllText(path, "");
        Assert.Throws<InvalidDataException>(() => PushPassword.LoadOrCreate(path));
    }

    [Fact]
    public async Task A_token_allows_what_its_asker_may_and_ends()
    {
        var time = new ManualTime();
        await using var registry = await RunningRegistry.StartAsync(time: time);
        var anonymous = await TokenAsync(registry.Anonymous);
        var pusher = await TokenAsync(registry.Client);
        Assert.Equal(HttpStatusCode.Accepted, await BeginAsync(registry, pusher));
        Assert.Equal(HttpStatusCode.Unauthorized, await BeginAsync(registry, anonymous));
        Assert.Equal(HttpStatusCode.Unauthorized, await BeginAsync(registry, anonymous[..^2] + "AA"));
        // The byte that says what it allows is under the seal.
        Assert.Equal(HttpStatusCode.Unauthorized, await BeginAsync(registry, pusher[..12] + anonymous[12..]));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await BeginAsync(registry, pusher));
    }

    private static async Task<string> TokenAsync(HttpClient client) =>
        (string)System.Text.Json.Nodes.JsonNode.Parse(await client.GetStringAsync("/v2/token?service=weft&scope=repository:a:pull,push"))!["token"]!;

    private static async Task<HttpStatusCode> BeginAsync(RunningRegistry registry, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/a/blobs/uploads/");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await registry.Anonymous.SendAsync(request);
        return answer.StatusCode;
    }
}
