using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Http2.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>Clients that go away by the hundred, at every point of an exchange: nothing of them stays in any account, and the others do not notice.</summary>
public sealed class AbortTests
{
    private const int Times = 40;

    private static readonly (string Name, Func<Socket, Task> Run)[] Ways =
    [
        ("in the head", socket => SendAsync(socket, "GET /slow HTTP/1.1\r\nHost: h\r\nX-Ha")),
        ("after the head", socket => SendAsync(socket, "GET /hang HTTP/1.1\r\nHost: h\r\n\r\n")),
        ("in a body", socket => SendAsync(socket, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nsome")),
        ("in a chunk", socket => SendAsync(socket, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nsome")),
        ("in the answer", async socket =>
        {
            await SendAsync(socket, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            await ReadAsync(socket, bytes => Encoding.Latin1.GetString([.. bytes]).Contains("part", StringComparison.Ordinal));
        }),
        ("in the second of three", socket => SendAsync(socket, "GET /echo HTTP/1.1\r\nHost: h\r\n\r\nGET /hang HTTP/1.1\r\nHost: h\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n")),
        ("with an answer that is not read", socket => SendAsync(socket, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n")),
        ("h2: in the preface", socket => SendAsync(socket, Frame.ClientPreface[..20])),
        ("h2: in a header block", socket => SendAsync(socket, [.. Frame.ClientPreface, .. Frame.Raw(1, 0, 1, Frame.Block(Frame.Get)[..9])])),
        ("h2: in bodies", socket => SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => [.. Head(id, "/echo", end: false), .. Frame.Data(id, false, "some")])])),
        ("h2: by RST_STREAM of bodies", async socket =>
        {
            await SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => [.. Head(id, "/echo", end: false), .. Frame.Data(id, false, "some")])]);
            await ResetAllAsync(socket);
        }),
        ("h2: by RST_STREAM of requests", async socket =>
        {
            await SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => Head(id, "/hang", end: true))]);
            await ResetAllAsync(socket);
        }),
        ("h2: by RST_STREAM in answers", async socket =>
        {
            await SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => Head(id, "/slow", end: true))]);
            await ReadAsync(socket, bytes => RequestCorpusTests.Types(bytes).Count(type => type == 0) >= 10);
            await ResetAllAsync(socket);
        }),
        ("h2: in answers", async socket =>
        {
            await SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => Head(id, "/slow", end: true))]);
            await ReadAsync(socket, bytes => RequestCorpusTests.Types(bytes).Contains(0));
        }),
        ("h2: with answers that are not read", socket => SendAsync(socket, [.. Frame.ClientPreface, .. Streams(10, id => Head(id, "/large", end: true))])),
    ];

    [Theory]
    [InlineData(HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData(HttpProtocols.Http2, UpstreamProtocol.Http2)]
    public async Task Nothing_stays_of_clients_that_go_away(HttpProtocols protocols, UpstreamProtocol protocol)
    {
        var (running, connections) = (0, 0);
        await using var server = await ServerAsync(protocols, change => Interlocked.Add(ref connections, change), change => Interlocked.Add(ref running, change));
        await using (var bed = await HostileBed.StartAsync(HostileBed.Cluster(new(IPAddress.Loopback, new Uri(server.Urls.Single()).Port), protocol), loops: 2))
        {
            using var stop = new CancellationTokenSource();
            var good = new[] { HttpVersion.Version11, HttpVersion.Version20 }.Select(version => Task.Run(() => GoodAsync(bed, version, stop.Token))).ToArray();

            await Parallel.ForEachAsync(Enumerable.Range(0, Ways.Length * Times), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
            {
                var (name, run) = Ways[number % Ways.Length];
                using var socket = bed.Connect();
                if (number / Ways.Length % 2 == 0)
                    socket.LingerState = new LingerOption(true, 0); // a reset in place of an end
                try
                {
                    await run(socket);
                }
                catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
                {
                    throw new InvalidOperationException($"going away {name}", failure);
                }
            });

            await stop.CancelAsync();
            Assert.All(await Task.WhenAll(good), answered => Assert.True(answered > 0));
            await bed.NothingLeftAsync();
            await Eventually.TrueAsync(() => Volatile.Read(ref running) == 0);
            // What was cut is closed; what ended well is kept for the next, as many as there were at once.
            await Eventually.TrueAsync(() => Volatile.Read(ref connections) <= 24, state: () => $"{connections} connections to the endpoint");
        }

        await Eventually.TrueAsync(() => Volatile.Read(ref connections) == 0);
    }

    private static async Task<int> GoodAsync(HostileBed bed, Version version, CancellationToken stop)
    {
        using var client = bed.Client(version);
        var answered = 0;
        for (; !stop.IsCancellationRequested; answered++)
        {
            using var response = await client.PostAsync("/echo", new StringContent($"good {answered}"), CancellationToken.None);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal($"good {answered}", await response.Content.ReadAsStringAsync(CancellationToken.None));
        }

        return answered;
    }

    private static async Task<WebApplication> ServerAsync(HttpProtocols protocols, Action<int> connection, Action<int> request)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocols;
            listen.Use(next => async (ConnectionContext context) =>
            {
                connection(1);
                try
                {
                    await next(context);
                }
                finally
                {
                    connection(-1);
                }
            });
        }));
        var app = builder.Build();
        var large = new byte[1 << 20];
        app.Run(async context =>
        {
            request(1);
            try
            {
                switch (context.Request.Path.Value)
                {
                    case "/echo":
                        await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
                        break;
                    case "/large":
                        await context.Response.Body.WriteAsync(large, context.RequestAborted);
                        break;
                    case "/slow":
                        await context.Response.WriteAsync("part", context.RequestAborted);
                        await context.Response.Body.FlushAsync(context.RequestAborted);
                        goto default;
                    default:
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
                        break;
                }
            }
            catch (Exception gone) when (gone is OperationCanceledException or IOException)
            {
            }
            finally
            {
                request(-1);
            }
        });
        await app.StartAsync();
        return app;
    }

    private static byte[] Head(int id, string path, bool end) => Frame.Headers(id, end, (":method", end ? "GET" : "POST"), (":scheme", "http"), (":path", path), (":authority", "h"));

    private static byte[] Streams(int count, Func<int, byte[]> piece) => [.. Enumerable.Range(0, count).SelectMany(i => piece(1 + (2 * i)))];

    private static async Task ResetAllAsync(Socket socket)
    {
        // And a PING, so that the connection is known to have lived on.
        await SendAsync(socket, [.. Streams(10, id => Frame.Reset(id)), .. Frame.Ping()]);
        await ReadAsync(socket, bytes => RequestCorpusTests.Types(bytes).Contains(6));
    }

    private static Task SendAsync(Socket socket, string text) => SendAsync(socket, Encoding.Latin1.GetBytes(text));

    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent));
    }

    private static async Task ReadAsync(Socket socket, Func<List<byte>, bool> enough)
    {
        var all = new List<byte>();
        var buffer = new byte[16 << 10];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!enough(all))
        {
            var got = await socket.ReceiveAsync(buffer, patience.Token);
            Assert.NotEqual(0, got);
            all.AddRange(buffer[..got]);
        }
    }
}
