using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Http;
using Weft.Proxy.Tests.Http2.Support;

namespace Weft.Proxy.Tests.Http2;

/// <summary>Against what no one here wrote: curl, nghttp and h2load as clients, .NET's client and Kestrel on both ends.</summary>
public sealed class InteropTests
{
    private static Exchanges Echo() => new() { OnEnd = request => request.Respond(200, request.Body, ("x-method", Encoding.ASCII.GetString(request.Head.Method))) };

    [Fact]
    public async Task Curl_gets_and_posts()
    {
        using var server = new LoopServer(Echo());
        var get = await RunAsync("curl", "-sS", "-i", "--http2-prior-knowledge", server.Url + "/a?b=c");
        Assert.Equal("HTTP/2 200 \r\nx-method: GET\r\ncontent-length: 0\r\n\r\n", Sorted(get));
        var file = Path.GetTempFileName();
        try
        {
            var body = string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i} ")); // more than a window
            await File.WriteAllTextAsync(file, body);
            Assert.Equal(body, await RunAsync("curl", "-sS", "--http2-prior-knowledge", "--data-binary", "@" + file, server.Url));
            Assert.Equal(body, await RunAsync("curl", "-sS", "--http2-prior-knowledge", "-H", "Expect: 100-continue", "--data-binary", "@" + file, server.Url));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Nghttp_and_h2load_many_streams_at_once()
    {
        using var server = new LoopServer(Echo());
        Assert.Contains("x-method: GET", await RunAsync("nghttp", "-v", server.Url + "/x"), StringComparison.Ordinal);
        var load = await RunAsync("h2load", "-n", "5000", "-c", "4", "-m", "50", server.Url + "/");
        Assert.Contains("5000 succeeded, 0 failed, 0 errored, 0 timeout", load, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_graceful_end_under_load_fails_no_request_of_NETs_client()
    {
        using var server = new LoopServer(Echo());
        using var client = Client();
        for (var round = 0; round < 10; round++)
        {
            var requests = Enumerable.Range(0, 40).Select(_ => client.PostAsync(server.Url, new StringContent("hello"))).ToList();
            await server.OnLoop(() => server.Connections.ForEach(connection => connection.Drain()));
            foreach (var response in await Task.WhenAll(requests))
                Assert.Equal("hello", await response.Content.ReadAsStringAsync());
        }

        Assert.True(server.Connections.Count > 1);
    }

    [Fact]
    public async Task Trailers_reach_NETs_client_as_gRPC_needs_them()
    {
        var trailers = new HeaderList();
        trailers.Add("grpc-status"u8, "0"u8);
        using var server = new LoopServer(new()
        {
            OnEnd = request =>
            {
                request.Stream.SendHead(RecordedRequest.Response(200, fields: ("content-type", "application/grpc")), end: false);
                request.Stream.SendData("\0\0\0\0\u0003abc"u8, end: false);
                request.Stream.SendTrailers(trailers);
            },
        });
        using var client = Client();
        using var response = await client.PostAsync(server.Url + "/svc/Method", new ByteArrayContent([0, 0, 0, 0, 0]));
        Assert.Equal(8, (await response.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(["0"], response.TrailingHeaders.GetValues("grpc-status"));
    }

    [Fact]
    public async Task Kestrel_as_the_upstream()
    {
        await using var kestrel = await KestrelAsync();
        var address = new Uri(kestrel.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        using var client = new LoopClient(new(IPAddress.Loopback, address.Port));
        var body = new byte[500_000];
        new Random(1).NextBytes(body);
        var responses = new List<RecordedResponse>();
        await client.OnLoop(() =>
        {
            for (var i = 0; i < 30; i++)
            {
                var response = new RecordedResponse();
                responses.Add(response);
                var stream = client.Connection.OpenStream(response);
                stream.SendHead(RecordedResponse.Request("POST", "/echo", body.Length, fields: ("te", "trailers")), end: false);
                stream.SendData(body, end: true);
            }
        });
        await client.Until(() => responses.All(response => response.Ended || response.Reset is not null));
        await client.OnLoop(() =>
        {
            foreach (var response in responses)
            {
                Assert.Equal([200], response.Statuses);
                Assert.Equal(body, Encoding.Latin1.GetBytes(response.Body));
                Assert.Equal(["grpc-status: 0"], response.Trailers);
            }

            Assert.Null(client.Connection.Fault);
            Assert.Equal(0, client.Connection.OpenStreams);
        });
    }

    private static async Task<WebApplication> KestrelAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.MapPost("/echo", async context =>
        {
            await context.Request.Body.CopyToAsync(context.Response.Body);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await app.StartAsync();
        return app;
    }

    private static HttpClient Client() => new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static string Sorted(string response)
    {
        var lines = response.Split("\r\n");
        return string.Join("\r\n", [lines[0], .. lines[1..^2].OrderDescending(StringComparer.Ordinal), "", ""]);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program}: {process.ExitCode} {await errors}");
        return output;
    }
}
