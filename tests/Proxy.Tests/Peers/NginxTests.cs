using System.Net;
using System.Net.Http.Headers;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Hostile;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Peers;

/// <summary>An endpoint that is not .NET's: what nginx does with files, ranges, conditions, bodies that it does not want and connections that it ends.</summary>
public sealed class NginxTests
{
    [Theory]
    [InlineData("1.1", UpstreamProtocol.Http1)]
    [InlineData("1.1", UpstreamProtocol.Http2)]
    [InlineData("2.0", UpstreamProtocol.Http1)]
    [InlineData("2.0", UpstreamProtocol.Http2)]
    public async Task Everything_that_nginx_answers_arrives(string version, UpstreamProtocol protocol)
    {
        var file = new byte[3_000_000];
        new Random(1).NextBytes(file);
        await using var nginx = await Nginx.StartAsync(file);
        await using var bed = await HostileBed.StartAsync(HostileBed.Cluster(protocol == UpstreamProtocol.Http2 ? nginx.Http2 : nginx.Http1, protocol), loops: 2);
        using var client = bed.Client(new Version(version));

        Assert.Equal(file, await client.GetByteArrayAsync("/file"));
        using (var whole = await client.GetAsync("/file", HttpCompletionOption.ResponseHeadersRead))
            Assert.Equal(file.Length, whole.Content.Headers.ContentLength);
        using var range = await SendAsync(HttpMethod.Get, "/file", request => request.Headers.Range = new RangeHeaderValue(1000, 1999));
        Assert.Equal(HttpStatusCode.PartialContent, range.StatusCode);
        Assert.Equal(file[1000..2000], await range.Content.ReadAsByteArrayAsync());
        using var head = await SendAsync(HttpMethod.Head, "/file");
        Assert.Equal(file.Length, head.Content.Headers.ContentLength);
        using var same = await SendAsync(HttpMethod.Get, "/file", request => request.Headers.IfNoneMatch.Add(head.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        using var missing = await SendAsync(HttpMethod.Get, "/none");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        using var moved = await SendAsync(HttpMethod.Get, "/gone");
        Assert.Equal(HttpStatusCode.Redirect, moved.StatusCode);
        Assert.Equal("GET 127.0.0.1 GET 127.0.0.1", await client.GetStringAsync("/echo"));
        // A body above its limit is refused before it is read; a connection that ends without an answer is a bad gateway.
        using var large = await SendAsync(HttpMethod.Post, "/echo", request => request.Content = new ByteArrayContent(new byte[5000]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var cut = await SendAsync(HttpMethod.Post, "/cut");
        Assert.Equal(HttpStatusCode.BadGateway, cut.StatusCode);
        // nginx ends each connection after a hundred requests; nobody hears of it.
        await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            using var response = await SendAsync(HttpMethod.Get, "/echo");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        });
        client.Dispose();
        await bed.NothingLeftAsync();

        async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, Action<HttpRequestMessage>? with = null)
        {
            using var request = new HttpRequestMessage(method, path) { Version = new(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            with?.Invoke(request);
            return await client.SendAsync(request);
        }
    }

    [Fact]
    public async Task Sessions_of_an_endpoint_are_resumed()
    {
        using var authority = new TestAuthority();
        await using var nginx = await Nginx.StartAsync([], authority.Issue());
        var cluster = HostileBed.Cluster(nginx.Https) with { Tls = new UpstreamTls { Authorities = TlsBed.Pem(authority), ServerName = "a.example" } };
        await using var bed = await HostileBed.StartAsync(cluster);
        using var client = bed.Client(HttpVersion.Version11);

        Assert.Equal("TLSv1.3 .", await client.GetStringAsync("/"));
        for (var i = 0; i < 5; i++)
            Assert.Equal("TLSv1.3 r", await client.GetStringAsync("/"));

        // Another way to connect knows nothing of these sessions.
        await bed.Engine.ApplyAsync(HostileBed.Config(cluster with { Tls = cluster.Tls! with { MinVersion = TlsVersion.Tls13 } }));
        Assert.Equal("TLSv1.3 .", await client.GetStringAsync("/"));
    }
}
