using System.Net;
using Weft.Registry.Manifests;
using Weft.Registry.Names;
using Weft.Registry.Tests.Kit;
using Weft.Testing;

namespace Weft.Registry.Tests;

public sealed class CollectorTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task What_a_deleted_image_alone_had_goes_after_a_grace()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        var shared = await registry.PushBlobAsync("shared"u8.ToArray());
        var own = await registry.PushBlobAsync("own"u8.ToArray());
        foreach (var (name, layer) in new[] { ("keep", shared), ("gone", own) })
            using (await registry.PutManifestAsync(name, "1", RunningRegistry.Image(shared, layer)))
            {
            }

        Assert.Equal(HttpStatusCode.Accepted, (await registry.Client.DeleteAsync("/v2/gone/manifests/1")).StatusCode);
        await CollectAsync(registry, TimeSpan.Zero);
        Assert.True(Has(registry, own)); // somebody may pull it by its digest right now

        await CollectAsync(registry, registry.Registry.Options.UntaggedGrace + TimeSpan.FromMinutes(1));
        Assert.False(Has(registry, own));
        Assert.True(Has(registry, shared));
        Assert.Equal("""{"repositories":["docker.io/library/keep"]}""", await registry.Anonymous.GetStringAsync("/v2/_catalog"));
    }

    [Fact]
    public async Task A_tag_that_is_pushed_anew_lets_the_old_image_go()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        var old = await registry.PushImageAsync("app", "latest", "old");
        var young = await registry.PushImageAsync("app", "latest", "young");
        await CollectAsync(registry, TimeSpan.FromDays(3));
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Anonymous.GetAsync($"/v2/app/manifests/{old}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await registry.Anonymous.GetAsync($"/v2/app/manifests/{young}")).StatusCode);
        Assert.False(Has(registry, Digest.Of("old"u8)));
    }

    [Fact]
    public async Task The_images_of_a_tagged_index_stay()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        var config = await registry.PushBlobAsync("{}"u8.ToArray());
        var child = RunningRegistry.Image(config, config);
        var digest = Digest.Of(System.Text.Encoding.UTF8.GetBytes(child.ToJsonString()));
        using (await registry.PutManifestAsync("multi", digest.ToString(), child))
        using (await registry.PutManifestAsync("multi", "1", new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new System.Text.Json.Nodes.JsonArray(RunningRegistry.Descriptor(MediaTypes.OciManifest, digest)),
        }))
        {
        }

        await CollectAsync(registry, TimeSpan.FromDays(30));
        Assert.Equal(HttpStatusCode.OK, (await registry.Anonymous.GetAsync($"/v2/multi/manifests/{digest}")).StatusCode);
        Assert.True(Has(registry, config));
    }

    [Fact]
    public async Task A_blob_that_waits_for_its_manifest_stays_for_a_grace_and_so_does_one_that_was_asked_for()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        var blob = await registry.PushBlobAsync("waiting"u8.ToArray());
        var almost = registry.Registry.Options.BlobGrace - TimeSpan.FromMinutes(1);
        await CollectAsync(registry, almost);
        Assert.Equal(HttpStatusCode.OK, (await registry.Anonymous.SendAsync(new(HttpMethod.Head, $"/v2/a/blobs/{blob}"))).StatusCode);
        await CollectAsync(registry, almost);
        Assert.True(Has(registry, blob));
        await CollectAsync(registry, almost);
        Assert.False(Has(registry, blob));
    }

    [Fact]
    public async Task An_upload_that_nobody_goes_on_with_is_given_up()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        using var begun = await registry.Client.PostAsync("/v2/a/blobs/uploads/", null);
        using (await registry.Client.PatchAsync(begun.Headers.Location, new ByteArrayContent(new byte[1000])))
        {
        }

        await CollectAsync(registry, TimeSpan.FromHours(2));
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Client.GetAsync(begun.Headers.Location)).StatusCode);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(registry.Registry.Options.Root, "uploads")));
    }

    [Fact]
    public async Task A_blob_of_an_image_is_not_deleted_and_one_of_none_is()
    {
        await using var registry = await RunningRegistry.StartAsync(time: _time);
        await registry.PushImageAsync("a", "1", "text");
        var free = await registry.PushBlobAsync("free"u8.ToArray());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await registry.Client.DeleteAsync($"/v2/a/blobs/{Digest.Of("text"u8)}")).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await registry.Client.DeleteAsync($"/v2/a/blobs/{free}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Client.DeleteAsync($"/v2/a/blobs/{free}")).StatusCode);
    }

    private async Task CollectAsync(RunningRegistry registry, TimeSpan later)
    {
        _time.Advance(later);
        await registry.Registry.CollectAsync(CancellationToken.None);
    }

    private static bool Has(RunningRegistry registry, Digest digest) => File.Exists(registry.Registry.Blobs.PathOf(digest));
}
