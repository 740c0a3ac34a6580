using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Weft.Registry.Manifests;
using Weft.Registry.Names;
using Weft.Registry.Tests.Kit;

namespace Weft.Registry.Tests.Http;

public sealed class PushTests
{
    private static readonly byte[] Content = Encoding.ASCII.GetBytes("what a layer may hold");

    [Fact]
    public async Task A_blob_comes_in_chunks_and_is_what_it_was()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var upload = await BeginAsync(registry);

        using (var first = await ChunkAsync(registry, upload, 0, Content[..10]))
        {
            Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
            Assert.Equal("0-9", Assert.Single(first.Headers.GetValues("Range")));
        }

        using (var gap = await ChunkAsync(registry, upload, 12, Content[12..]))
        {
            Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, gap.StatusCode);
            Assert.Equal("0-9", Assert.Single(gap.Headers.GetValues("Range")));
        }

        using (var status = await registry.Client.GetAsync(upload))
        {
            Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
            Assert.Equal("0-9", Assert.Single(status.Headers.GetValues("Range")));
        }

        using (var second = await ChunkAsync(registry, upload, 10, Content[10..]))
            Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        using var done = await registry.Client.PutAsync($"{upload}?digest={Digest.Of(Content)}", null);
        Assert.Equal(HttpStatusCode.Created, done.StatusCode);
        Assert.Equal(Content, await registry.Anonymous.GetByteArrayAsync(done.Headers.Location));
        Assert.Equal(0, registry.Registry.Uploads.Count);
    }

    [Fact]
    public async Task Content_that_is_not_its_digest_is_refused_and_forgotten()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var upload = await BeginAsync(registry);
        var wrong = Digest.Of("other"u8);

        using var answer = await registry.Client.PutAsync($"{upload}?digest={wrong}", new ByteArrayContent(Content));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("DIGEST_INVALID", await RunningRegistry.ErrorCodeAsync(answer));
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Anonymous.GetAsync($"/v2/a/blobs/{wrong}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await registry.Client.GetAsync(upload)).StatusCode);
    }

    [Fact]
    public async Task A_blob_is_mounted_from_another_repository_when_it_is_here()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var digest = await registry.PushBlobAsync(Content, "first");

        using var mounted = await registry.Client.PostAsync($"/v2/second/blobs/uploads/?mount={digest}&from=first", null);
        Assert.Equal(HttpStatusCode.Created, mounted.StatusCode);
        using var absent = await registry.Client.PostAsync($"/v2/second/blobs/uploads/?mount={Digest.Of("x"u8)}&from=first", null);
        Assert.Equal(HttpStatusCode.Accepted, absent.StatusCode);
    }

    [Fact]
    public async Task A_manifest_needs_its_blobs_but_an_index_may_lack_platforms()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var here = await registry.PushBlobAsync(Content);
        using var refused = await registry.PutManifestAsync("a", "1", RunningRegistry.Image(here, Digest.Of("absent"u8)));
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", await RunningRegistry.ErrorCodeAsync(refused));

        using var index = await registry.PutManifestAsync("a", "2", new()
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new System.Text.Json.Nodes.JsonArray(RunningRegistry.Descriptor(MediaTypes.OciManifest, Digest.Of("arm64"u8))),
        });
        Assert.Equal(HttpStatusCode.Created, index.StatusCode);
    }

    [Fact]
    public async Task Without_a_login_anybody_pulls_and_nobody_pushes()
    {
        await using var registry = await RunningRegistry.StartAsync();
        await registry.PushImageAsync("app", "1", "hello");
        Assert.Equal(HttpStatusCode.OK, (await registry.Anonymous.GetAsync("/v2/app/manifests/1")).StatusCode);

        using var ping = await registry.Anonymous.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.Unauthorized, ping.StatusCode);
        Assert.StartsWith("Bearer realm=", ping.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await registry.Client.GetAsync("/v2/")).StatusCode);

        foreach (var request in new[]
        {
            new HttpRequestMessage(HttpMethod.Post, "/v2/app/blobs/uploads/"), new HttpRequestMessage(HttpMethod.Put, "/v2/app/manifests/2"),
            new HttpRequestMessage(HttpMethod.Delete, "/v2/app/manifests/1"),
        })
        {
            using var answer = await registry.Anonymous.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_body_above_the_limit_is_refused()
    {
        await using var registry = await RunningRegistry.StartAsync(options => options with { MaxBlobBytes = 100, MaxManifestBytes = 1000 });
        using var blob = await registry.Client.PostAsync($"/v2/a/blobs/uploads/?digest={Digest.Of(Content)}", new ByteArrayContent(new byte[101]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, blob.StatusCode);
        Assert.Equal(0, registry.Registry.Uploads.Count);
        using var manifest = await registry.Client.PutAsync("/v2/a/manifests/1", new ByteArrayContent(new byte[1001]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, manifest.StatusCode);
    }

    [Fact]
    public async Task What_comes_with_Weft_is_not_changed()
    {
        await using var registry = await RunningRegistry.StartAsync();
        using var answer = await registry.Client.DeleteAsync("/v2/weft.dev/pause/manifests/1");
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private static async Task<string> BeginAsync(RunningRegistry registry)
    {
        using var begun = await registry.Client.PostAsync("/v2/a/b/blobs/uploads/", null);
        Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        return begun.Headers.Location!.ToString();
    }

    private static async Task<HttpResponseMessage> ChunkAsync(RunningRegistry registry, string upload, int offset, byte[] bytes)
    {
        var body = new ByteArrayContent(bytes);
        body.Headers.TryAddWithoutValidation("Content-Range", $"{offset}-{offset + bytes.Length - 1}");
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await registry.Client.PatchAsync(upload, body);
    }
}
