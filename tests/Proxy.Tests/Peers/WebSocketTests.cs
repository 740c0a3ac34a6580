using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Hostile;

namespace Weft.Proxy.Tests.Peers;

/// <summary>WebSocket between .NET's client and Kestrel, over both versions of HTTP on either side (RFC 6455, RFC 8441).</summary>
public sealed class WebSocketTests
{
    [Theory]
    [InlineData("1.1", HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData("1.1", HttpProtocols.Http2, UpstreamProtocol.Http2)]
    [InlineData("2.0", HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData("2.0", HttpProtocols.Http2, UpstreamProtocol.Http2)]
    public async Task Messages_of_all_sizes_come_back_and_the_close_passes(string version, HttpProtocols protocols, UpstreamProtocol protocol)
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", EchoAsync, protocols);
        await using var own = server;
        await using var bed = await HostileBed.StartAsync(cluster with { Protocol = protocol }, loops: 2);
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);
        await Parallel.ForAsync(0, 20, new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (_, _) =>
        {
            using var socket = new ClientWebSocket();
            socket.Options.HttpVersion = new Version(version);
            socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            await socket.ConnectAsync(new Uri($"ws://{bed.Address}/chat"), invoker, CancellationToken.None);
            foreach (var length in new[] { 0, 1, 125, 126, 65_535, 65_536, 300_000 })
            {
                var message = RandomNumberGenerator.GetBytes(length);
                var sending = socket.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None);
                Assert.Equal(message, await ReceiveAsync(socket));
                await sending;
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "that is all", CancellationToken.None);
            Assert.Equal((WebSocketCloseStatus.NormalClosure, "that is all"), (socket.CloseStatus!.Value, socket.CloseStatusDescription));
        });
        // The endpoint's own close, and one that just goes.
        using (var closed = new ClientWebSocket())
        {
            closed.Options.HttpVersion = new Version(version);
            closed.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            await closed.ConnectAsync(new Uri($"ws://{bed.Address}/close"), invoker, CancellationToken.None);
            Assert.Equal(WebSocketMessageType.Close, (await closed.ReceiveAsync(new byte[10], CancellationToken.None)).MessageType);
            Assert.Equal((WebSocketCloseStatus)4001, closed.CloseStatus);
        }

        handler.Dispose();
        await bed.NothingLeftAsync();
    }

    private static async Task<byte[]> ReceiveAsync(WebSocket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, CancellationToken.None);
            all.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return all.ToArray();
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        if (context.Request.Path == "/close")
        {
            await socket.CloseAsync((WebSocketCloseStatus)4001, "go", CancellationToken.None);
            return;
        }

        var buffer = new byte[64 << 10];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, CancellationToken.None);
    }
}
