using System.Net.WebSockets;
using System.Text.Json;
using Weft.Api.Streams;
using Weft.Grpc;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Runtime.Cri;

/// <summary>
/// The input and output of a container's first process, which containerd itself holds: over its streaming server, by WebSocket
/// (v4.channel.k8s.io: the first byte of each message names the stream). That protocol cannot end the input alone, so input has a connection of
/// its own, whose end is the end of the input; output goes on over the other.
/// </summary>
internal sealed class CriAttach(CriClient client)
{
    private const byte Input = 0, Output = 1, Error = 2, Resize = 4;

    public async Task RunAsync(ContainerInfo container, ContainerStreams streams, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // With input too, on which nothing is sent: containerd takes a WebSocket without one for input that has ended, and (stdinOnce) closes the container's.
        using var outputs = await ConnectAsync(
            new AttachRequest { ContainerId = container.Id, Tty = streams.Terminal, Stdin = true, Stdout = true, Stderr = streams.Error is not null && !streams.Terminal }, cancellationToken);
        var sending = streams.Input is null ? Task.CompletedTask : SendAsync(streams.Input, container.Id, streams.Terminal, ended.Token);
        var resizing = ResizeAsync(streams.Resize, outputs, ended.Token);
        try
        {
            await ReceiveAsync(outputs, streams, cancellationToken);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(sending, resizing);
        }
    }

    private async Task<ClientWebSocket> ConnectAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            var url = (await client.AttachAsync(request, cancellationToken)).Url;
            socket.Options.AddSubProtocol("v4.channel.k8s.io");
            socket.Options.Proxy = null;
            await socket.ConnectAsync(new UriBuilder(url) { Scheme = "ws" }.Uri, cancellationToken);
            return socket;
        }
        catch (Exception e) when (e is GrpcException or WebSocketException)
        {
            socket.Dispose();
            throw new RuntimeException(RuntimeError.NotRunning, e.Message, e);
        }
    }

    private static async Task ReceiveAsync(ClientWebSocket socket, ContainerStreams streams, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        Stream? target = null;
        var first = true;
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
                if (received.MessageType == WebSocketMessageType.Close)
                    return;
                var bytes = buffer.AsMemory(0, received.Count);
                if (first && bytes.Length > 0)
                {
                    target = bytes.Span[0] switch { Output => streams.Output, Error => streams.Error, _ => null };
                    bytes = bytes[1..];
                }
                first = received.EndOfMessage;
                if (target is null || bytes.Length == 0)
                    continue;
                await target.WriteAsync(bytes, cancellationToken);
                await target.FlushAsync(cancellationToken);
            }
        }
        catch (WebSocketException)
        {
            // The container has ended, or containerd has.
        }
    }

    private async Task SendAsync(Stream from, string container, bool terminal, CancellationToken ended)
    {
        try
        {
            using var socket = await ConnectAsync(new AttachRequest { ContainerId = container, Tty = terminal, Stdin = true }, ended);
            var buffer = new byte[32 * 1024];
            buffer[0] = Input;
            int n;
            while ((n = await from.ReadAsync(buffer.AsMemory(1), ended)) > 0)
                await socket.SendAsync(buffer.AsMemory(0, n + 1), WebSocketMessageType.Binary, endOfMessage: true, ended);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, ended);
        }
        catch (Exception e) when (e is IOException or WebSocketException or RuntimeException or OperationCanceledException or ObjectDisposedException)
        {
            // The container or the client is gone.
        }
    }

    private static async Task ResizeAsync(IAsyncEnumerable<TerminalSize>? sizes, ClientWebSocket socket, CancellationToken ended)
    {
        if (sizes is null)
            return;
        try
        {
            await foreach (var size in sizes.WithCancellation(ended))
            {
                byte[] message = [Resize, .. JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, ushort> { ["Width"] = size.Width, ["Height"] = size.Height })];
                await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, ended);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or WebSocketException or ObjectDisposedException)
        {
            // No more sizes, or no more terminal.
        }
    }
}
