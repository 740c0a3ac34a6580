using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Weft.Api.Streams.Tunnels;

/// <summary>What a message of a stream's own connection carries; its first byte.</summary>
public enum TunnelChannel : byte { Input = 0, Output = 1, Error = 2, Result = 3, Resize = 4, EndOfInput = 5, EndOfOutput = 6 }

/// <summary>
/// One WebSocket between server and node, in messages of bounded size. A stream has a connection of its own, so that a reader that stands still
/// holds up its own stream by TCP alone, and nobody else's.
/// </summary>
public sealed class TunnelSocket(WebSocket socket) : IDisposable
{
    /// <summary>Bytes of a data message, with its channel.</summary>
    public const int MaxData = 32 * 1024 + 1;

    /// <summary>An order with a long command line: the API server's own request line is at most 16 KiB.</summary>
    public const int MaxText = 128 * 1024;

    private readonly SemaphoreSlim _sending = new(1);

    public async Task SendAsync(TunnelChannel channel, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxData);
        await _sending.WaitAsync(cancellationToken);
        try
        {
            do
            {
                var part = bytes[..Math.Min(bytes.Length, MaxData - 1)];
                buffer[0] = (byte)channel;
                part.CopyTo(buffer.AsMemory(1));
                await socket.SendAsync(buffer.AsMemory(0, part.Length + 1), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
                bytes = bytes[part.Length..];
            }
            while (bytes.Length > 0);
        }
        catch (Exception broken) when (broken is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("the connection between server and node is broken", broken);
        }
        finally
        {
            _sending.Release();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public Task SendAsync<T>(TunnelChannel channel, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        SendAsync(channel, JsonSerializer.SerializeToUtf8Bytes(value, type), cancellationToken);

    /// <exception cref="IOException">The connection broke, or the message is above <see cref="MaxText"/>: it was not sent, for the other side would end the connection, and with it everybody's orders.</exception>
    public async Task SendTextAsync<T>(T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        if (bytes.Length > MaxText)
            throw new IOException($"a message of {bytes.Length} bytes, where {MaxText} fit");
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (Exception broken) when (broken is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("the connection between server and node is broken", broken);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next message's bytes, in <paramref name="buffer"/>; null at the end.</summary>
    /// <exception cref="IOException">The connection broke, or the message does not fit.</exception>
    public async Task<Memory<byte>?> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = 0;
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer[length..], cancellationToken);
                if (part.MessageType == WebSocketMessageType.Close)
                    return null;
                length += part.Count;
                if (part.EndOfMessage)
                    return buffer[..length];
                if (length == buffer.Length)
                    throw new IOException($"a message between server and node is longer than {buffer.Length} bytes");
            }
        }
        catch (Exception broken) when (broken is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("the connection between server and node is broken", broken);
        }
    }

    /// <summary>Says goodbye; the other side has a moment to say it too.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
        }
        catch (Exception gone) when (gone is WebSocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // It is closed already, only less politely.
        }
    }

    /// <summary>A reader that waits gets an error at once.</summary>
    public void Abort() => socket.Abort();

    public void Dispose()
    {
        socket.Dispose();
        _sending.Dispose();
    }
}
