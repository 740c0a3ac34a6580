using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Weft.Proxy.Config.Identity;

/// <summary>What came is no message; the connection ends.</summary>
public sealed class CertificateChannelException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Messages of JSON over a WebSocket, either side. One reader and one writer at a time.</summary>
public sealed class CertificateChannel(WebSocket socket, TimeProvider time)
{
    /// <summary>The path at the API server.</summary>
    public const string Path = "/weft.dev/certificates/v1";

    /// <summary>A request has 1 KB, a chain of four RSA certificates 8 KB, a bundle of ten roots 20 KB.</summary>
    public const int MaxMessageBytes = 256 * 1024;

    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(30);

    /// <summary>Null when the peer has closed.</summary>
    /// <exception cref="CertificateChannelException">It sent something that is no message.</exception>
    public async Task<T?> ReceiveAsync<T>(JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var buffer = new byte[4 * 1024];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                if (length >= MaxMessageBytes)
                    throw new CertificateChannelException($"a message of more than {MaxMessageBytes} bytes");
                Array.Resize(ref buffer, Math.Min(length * 4, MaxMessageBytes));
            }

            var result = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
                return null;
            length += result.Count;
            if (result.EndOfMessage)
                return Parse(buffer.AsSpan(0, length), type);
        }
    }

    /// <exception cref="TimeoutException">The peer does not take it.</exception>
    public async Task SendAsync<T>(T message, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(SendPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, type), WebSocketMessageType.Text, endOfMessage: true, either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the other side took nothing for {SendPatience.TotalSeconds:0} s");
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new CertificateChannelException("a message that is null");
        }
        catch (JsonException bad)
        {
            throw new CertificateChannelException("a message that is no JSON of this protocol: " + bad.Message, bad);
        }
    }
}
