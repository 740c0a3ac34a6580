using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Hostile;

namespace Weft.Proxy.Tests.Peers;

/// <summary>gRPC as its protocol document has it (HTTP/2, messages with a length in front, a status in trailers) between .NET's client and Kestrel, through the engine.</summary>
public sealed class GrpcTests
{
    [Theory]
    [InlineData(UpstreamProtocol.Http2)]
    [InlineData(UpstreamProtocol.Auto)] // which is HTTP/2 for gRPC
    public async Task Unary_calls_end_with_a_status_in_trailers_or_in_the_head(UpstreamProtocol protocol)
    {
        await using var server = await ServerAsync();
        await using var bed = await StartAsync(protocol, server);
        using var client = bed.Client(HttpVersion.Version20);

        using var echoed = await CallAsync(client, "Unary", "hello");
        Assert.Equal(["hello"], await MessagesAsync(echoed));
        Assert.Equal("0", echoed.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal("kept", echoed.TrailingHeaders.GetValues("x-detail-bin").Single());
        using var failed = await CallAsync(client, "Fail", "x");
        Assert.Empty(await MessagesAsync(failed));
        Assert.Equal("5", failed.Headers.GetValues("grpc-status").Single()); // trailers only: one block of fields
        // Nobody there: a client of gRPC is told in its own terms.
        await server.StopAsync();
        using var nobody = await CallAsync(client, "Unary", "x");
        Assert.Equal(HttpStatusCode.OK, nobody.StatusCode);
        Assert.Equal("14", nobody.Headers.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task A_deadline_ends_a_call_on_both_sides()
    {
        var aborted = new TaskCompletionSource();
        await using var server = await ServerAsync(aborted: () => aborted.TrySetResult());
        await using var bed = await StartAsync(UpstreamProtocol.Http2, server);
        using var client = bed.Client(HttpVersion.Version20);
        using var late = await CallAsync(client, "Hang", "x", timeout: "300m");
        Assert.Equal("4", late.Headers.GetValues("grpc-status").Single()); // 14 would be asked again
        await Weft.Testing.Eventually.EndsAsync(aborted.Task);
        client.Dispose();
        await bed.NothingLeftAsync();
    }

    [Fact]
    public async Task Messages_stream_in_both_directions_as_they_are_sent()
    {
        await using var server = await ServerAsync();
        await using var bed = await StartAsync(UpstreamProtocol.Http2, server);
        using var client = bed.Client(HttpVersion.Version20);

        using var counted = await CallAsync(client, "Count", "500");
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), await MessagesAsync(counted));
        Assert.Equal("0", counted.TrailingHeaders.GetValues("grpc-status").Single());

        // Each is answered before the next is sent: nothing may wait for more.
        var body = new StreamedBody();
        using var request = Request("Bidi", body);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var answers = await response.Content.ReadAsStreamAsync();
        for (var i = 0; i < 100; i++)
        {
            var message = new string((char)('a' + (i % 26)), 1 + (i * 700));
            await body.Messages.Writer.WriteAsync(message);
            Assert.Equal(message, await MessageAsync(answers));
        }

        body.Messages.Writer.Complete();
        Assert.Null(await MessageAsync(answers));
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Calls_of_one_connection_are_spread_over_all_endpoints()
    {
        var seen = new ConcurrentDictionary<int, int>();
        var servers = new List<WebApplication>();
        for (var i = 0; i < 3; i++)
        {
            var number = i;
            servers.Add(await ServerAsync(called: () => seen.AddOrUpdate(number, 1, (_, count) => count + 1)));
        }

        await using var bed = await StartAsync(UpstreamProtocol.Http2, [.. servers]);
        using var client = bed.Client(HttpVersion.Version20);
        for (var i = 0; i < 90; i++)
        {
            using var response = await CallAsync(client, "Unary", $"{i}");
            Assert.Equal([$"{i}"], await MessagesAsync(response));
        }

        Assert.Equal([30, 30, 30], seen.OrderBy(pair => pair.Key).Select(pair => pair.Value)); // in turn
        Assert.Equal(1, bed.Gauge("weft_proxy_connections"));
        foreach (var server in servers)
            await server.DisposeAsync();
    }

    /// <summary>What is broken on the way stays broken: the client hears of it and does not take a part for the whole.</summary>
    [Theory]
    [InlineData("Cut")]
    [InlineData("Half")]
    public async Task A_stream_that_is_cut_is_no_success(string method)
    {
        await using var server = await ServerAsync();
        await using var bed = await StartAsync(UpstreamProtocol.Http2, server);
        using var client = bed.Client(HttpVersion.Version20);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await CallAsync(client, method, "x");
            await MessagesAsync(response);
            Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        });
        using var after = await CallAsync(client, "Unary", "after");
        Assert.Equal(["after"], await MessagesAsync(after));
    }

    private static Task<HostileBed> StartAsync(UpstreamProtocol protocol, params WebApplication[] servers) => HostileBed.StartAsync(
        ProxyFixture.Cluster("web", servers) with { Protocol = protocol }, action: forward => forward with { Retry = RetryPolicy.None });

    private static HttpRequestMessage Request(string method, HttpContent body)
    {
        body.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var request = new HttpRequestMessage(HttpMethod.Post, $"/test.Service/{method}") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = body };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        return request;
    }

    private static async Task<HttpResponseMessage> CallAsync(HttpClient client, string method, string message, string? timeout = null)
    {
        using var request = Request(method, new ByteArrayContent(Framed(message)));
        if (timeout is not null)
            request.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static byte[] Framed(string message)
    {
        var bytes = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), message.Length);
        System.Text.Encoding.ASCII.GetBytes(message, bytes.AsSpan(5));
        return bytes;
    }

    private static async Task<List<string>> MessagesAsync(HttpResponseMessage response)
    {
        var all = new List<string>();
        await using var stream = await response.Content.ReadAsStreamAsync();
        while (await MessageAsync(stream) is { } message)
            all.Add(message);
        return all;
    }

    private static async Task<string?> MessageAsync(Stream stream)
    {
        var head = new byte[5];
        var got = await stream.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false);
        if (got == 0)
            return null;
        Assert.Equal(5, got);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        await stream.ReadExactlyAsync(body);
        return System.Text.Encoding.ASCII.GetString(body);
    }

    private static Task<WebApplication> ServerAsync(Action? called = null, Action? aborted = null) => ProxyFixture.ServerAsync(
        async context =>
        {
            called?.Invoke();
            var (request, response) = (context.Request.Body, context.Response);
            response.ContentType = "application/grpc";
            switch (context.Request.Path.Value!.Split('/')[^1])
            {
                case "Fail":
                    response.Headers["grpc-status"] = "5";
                    return;
                case "Hang":
                    context.RequestAborted.Register(() => aborted?.Invoke());
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
                    return;
                case "Count":
                    var count = int.Parse((await MessageAsync(request))!, System.Globalization.CultureInfo.InvariantCulture);
                    for (var i = 0; i < count; i++)
                        await response.Body.WriteAsync(Framed($"{i}"));
                    break;
                case "Cut":
                    await response.Body.WriteAsync(Framed("part"));
                    await response.Body.FlushAsync();
                    context.Abort();
                    return;
                case "Half":
                    await response.Body.WriteAsync(Framed("a longer message").AsMemory(0, 8));
                    await response.Body.FlushAsync();
                    context.Features.Get<IHttpResetFeature>()!.Reset(2); // INTERNAL_ERROR
                    return;
                default:
                    await response.Body.FlushAsync(); // the client hears at once that the stream stands
                    while (await MessageAsync(request) is { } message)
                    {
                        await response.Body.WriteAsync(Framed(message));
                        await response.Body.FlushAsync();
                    }

                    break;
            }

            response.AppendTrailer("x-detail-bin", "kept");
            response.AppendTrailer("grpc-status", "0");
        },
        HttpProtocols.Http2);

    /// <summary>Messages as they are given.</summary>
    private sealed class StreamedBody : HttpContent
    {
        public Channel<string> Messages { get; } = Channel.CreateUnbounded<string>();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await foreach (var message in Messages.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(Framed(message));
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
