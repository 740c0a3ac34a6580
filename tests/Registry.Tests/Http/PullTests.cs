using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Registry.Manifests;
using Weft.Registry.Names;
using Weft.Registry.Tests.Kit;

namespace Weft.Registry.Tests.Http;

public sealed class PullTests
{
    [Fact]
    public async Task An_image_is_found_by_every_name_that_means_it_and_a_miss_is_404()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var digest = await registry.PushImageAsync("nginx", "latest", "one");

        foreach (var path in new[]
        {
            "/v2/nginx/manifests/latest", "/v2/library/nginx/manifests/latest?ns=docker.io", $"/v2/docker.io/library/nginx/manifests/{digest}",
            "/v2/nginx/manifests/latest?ns=127.0.0.1:5000",
        })
        {
            using var answer = await registry.Anonymous.GetAsync(path);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(digest.ToString(), Assert.Single(answer.Headers.GetValues("Docker-Content-Digest")));
            Assert.Equal(MediaTypes.OciManifest, answer.Content.Headers.ContentType!.MediaType);
        }

        // What makes containerd go on to the real registry.
        foreach (var path in new[] { "/v2/library/nginx/manifests/latest?ns=quay.io", "/v2/nginx/manifests/other", "/v2/a/b/c/tags/list" })
            Assert.Equal(HttpStatusCode.NotFound, (await registry.Anonymous.GetAsync(path)).StatusCode);
    }

    [Theory]
    [InlineData("bytes=0-3", HttpStatusCode.PartialContent, "0123", "bytes 0-3/10")]
    [InlineData("bytes=4-", HttpStatusCode.PartialContent, "456789", "bytes 4-9/10")]
    [InlineData("bytes=-2", HttpStatusCode.PartialContent, "89", "bytes 8-9/10")]
    [InlineData("bytes=8-99", HttpStatusCode.PartialContent, "89", "bytes 8-9/10")]
    [InlineData("bytes=0-1,3-4", HttpStatusCode.OK, "0123456789", null)]
    [InlineData("bytes=x", HttpStatusCode.OK, "0123456789", null)]
    [InlineData("bytes=10-", HttpStatusCode.RequestedRangeNotSatisfiable, null, "bytes */10")]
    public async Task A_blob_is_sent_from_where_a_pull_was_cut(string range, HttpStatusCode status, string? content, string? said)
    {
        await using var registry = await RunningRegistry.StartAsync();
        var digest = await registry.PushBlobAsync("0123456789"u8.ToArray());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/a/blobs/{digest}");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await registry.Anonymous.SendAsync(request);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(said, answer.Content.Headers.ContentRange?.ToString());
        if (content is not null)
            Assert.Equal(content, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task HEAD_says_what_GET_would_send()
    {
        await using var registry = await RunningRegistry.StartAsync();
        await registry.PushImageAsync("a", "1", "text");
        var blob = Digest.Of("text"u8);
        foreach (var path in new[] { "/v2/a/manifests/1", $"/v2/a/blobs/{blob}" })
        {
            using var head = await registry.Anonymous.SendAsync(new(HttpMethod.Head, path));
            var body = await registry.Anonymous.GetByteArrayAsync(path);
            Assert.Equal(body.Length, head.Content.Headers.ContentLength);
        }
    }

    [Fact]
    public async Task Tags_and_repositories_are_listed_by_pages()
    {
        await using var registry = await RunningRegistry.StartAsync();
        foreach (var tag in new[] { "c", "a", "b" })
            await registry.PushImageAsync("x", tag, "same");
        await registry.PushImageAsync("quay.io/y", "1", "same");

        using var first = await registry.Anonymous.GetAsync("/v2/x/tags/list?n=2");
        Assert.Equal("""{"name":"x","tags":["a","b"]}""", await first.Content.ReadAsStringAsync());
        Assert.Equal("</v2/x/tags/list?n=2&last=b>; rel=\"next\"", Assert.Single(first.Headers.GetValues("Link")));
        Assert.Equal("""{"name":"x","tags":["c"]}""", await registry.Anonymous.GetStringAsync("/v2/x/tags/list?n=2&last=b"));
        Assert.Equal("""{"repositories":["docker.io/library/x","quay.io/y"]}""", await registry.Anonymous.GetStringAsync("/v2/_catalog"));
        Assert.Equal(HttpStatusCode.BadRequest, (await registry.Anonymous.GetAsync("/v2/x/tags/list?n=-1")).StatusCode);
    }

    [Fact]
    public async Task Referrers_are_what_says_something_about_an_image()
    {
        await using var registry = await RunningRegistry.StartAsync();
        var image = await registry.PushImageAsync("a", "1", "text");
        Assert.Empty(JsonNode.Parse(await registry.Anonymous.GetStringAsync($"/v2/a/referrers/{image}"))!["manifests"]!.AsArray());

        var config = await registry.PushBlobAsync("{}"u8.ToArray());
        var signature = RunningRegistry.Image(config, config);
        signature["artifactType"] = "application/x-signature";
        signature["subject"] = RunningRegistry.Descriptor(MediaTypes.OciManifest, image);
        using var put = await registry.PutManifestAsync("a", Digest.Of(Encoding.UTF8.GetBytes(signature.ToJsonString())).ToString(), signature);
        Assert.Equal(image.ToString(), Assert.Single(put.Headers.GetValues("OCI-Subject")));

        var found = JsonNode.Parse(await registry.Anonymous.GetStringAsync($"/v2/a/referrers/{image}?artifactType=application/x-signature"))!["manifests"]!.AsArray();
        Assert.Equal("application/x-signature", (string)Assert.Single(found)!["artifactType"]!);
        Assert.Empty(JsonNode.Parse(await registry.Anonymous.GetStringAsync($"/v2/a/referrers/{image}?artifactType=other"))!["manifests"]!.AsArray());
    }

    [Theory]
    [InlineData("GET", "/v2/a/blobs/sha256:../../../etc/passwd")]
    [InlineData("GET", "/v2/a/blobs/sha256:%2e%2e%2f%2e%2e%2fetc%2fpasswd")]
    [InlineData("GET", "/v2/%2e%2e/%2e%2e/manifests/latest")]
    [InlineData("GET", "/v2/a/manifests/..%2f..%2fx")]
    [InlineData("PUT", "/v2/a/../../x/manifests/latest")]
    [InlineData("PUT", "/v2/_x/manifests/latest")]
    [InlineData("PUT", "/v2/a/manifests/.hidden")]
    [InlineData("GET", "/v2/a/manifests/latest?ns=../..")]
    [InlineData("POST", "/v2/A/blobs/uploads/")]
    [InlineData("PATCH", "/v2/a/blobs/uploads/../x")]
    [InlineData("TRACE", "/v2/a/blobs/uploads/")]
    [InlineData("DELETE", "/v2/_catalog")]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v3/a")]
    public async Task Tricks_with_paths_are_refused(string method, string target)
    {
        await using var registry = await RunningRegistry.StartAsync();
        using var client = new System.Net.Sockets.TcpClient("127.0.0.1", registry.Port);
        await using var stream = client.GetStream();
        var login = Convert.ToBase64String(Encoding.ASCII.GetBytes("weft:" + registry.Password));
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"));
        using var reader = new StreamReader(stream);
        var status = await reader.ReadLineAsync();
        Assert.Matches(@"^HTTP/1\.1 (400|403|404|405) ", status);
        Assert.Single(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(registry.Registry.Options.Root)!, "*", SearchOption.AllDirectories), path => Path.GetFileName(path) == "repositories");
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(registry.Registry.Options.Root, "repositories"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_name_that_a_web_page_made_point_here_is_refused()
    {
        await using var registry = await RunningRegistry.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/_catalog");
        request.Headers.Host = "evil.example";
        Assert.Equal(HttpStatusCode.Forbidden, (await registry.Anonymous.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":1}""")]
    [InlineData("""{"schemaVersion":2,"config":{},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"mediaType":"text/plain","config":{},"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[{"digest":"sha256:x"}]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[],"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[]} more""")]
    [InlineData("""{"schemaVersion":2,"config":5,"layers":[]}""")]
    public async Task What_is_no_manifest_is_refused(string text)
    {
        await using var registry = await RunningRegistry.StartAsync();
        foreach (var type in new[] { "application/json", MediaTypes.OciManifest, MediaTypes.OciIndex })
        {
            using var answer = await registry.Client.PutAsync("/v2/a/manifests/1", new StringContent(text, new MediaTypeHeaderValue(type)));
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Equal("MANIFEST_INVALID", await RunningRegistry.ErrorCodeAsync(answer));
        }
    }
}
