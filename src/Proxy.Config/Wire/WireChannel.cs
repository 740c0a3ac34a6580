using System.Net.WebSockets;

namespace Weft.Proxy.Config.Wire;

/// <summary>Messages over a WebSocket, either side. One reader and one writer at a time.</summary>
public sealed class WireChannel(WebSocket socket, TimeProvider time)
{
    /// <summary>A peer that takes nothing for so long is gone, or might as well be.</summary>
    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(30);

    private byte[] _buffer = new byte[16 * 1024];

    /// <summary>Null when the peer has closed.</summary>
    /// <exception cref="WireException">It sent something that is no message.</exception>
    public async Task<WireMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            if (length == _buffer.Length)
            {
                if (length >= WireLimits.MaxMessageBytes)
                    throw new WireException($"a message of more than {WireLimits.MaxMessageBytes} bytes");
                Array.Resize(ref _buffer, Math.Min(length * 2, WireLimits.MaxMessageBytes));
            }

            var result = await socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (result.MessageType == WebSocketMessageType.Close)
                return null;
            if (result.MessageType != WebSocketMessageType.Binary)
                throw new WireException("a message of text");
            length += result.Count;
            if (!result.EndOfMessage)
                continue;
            var message = WireCodec.Read(_buffer.AsSpan(0, length));
            if (_buffer.Length > WireLimits.TargetMessageBytes)
                _buffer = new byte[16 * 1024]; // one large message must not cost its size for ever
            return message;
        }
    }

    /// <exception cref="TimeoutException">The peer does not take it.</exception>
    public async Task SendAsync(WireMessage message, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(SendPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await socket.SendAsync(WireCodec.Write(message), WebSocketMessageType.Binary, endOfMessage: true, either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"the other side took nothing for {SendPatience.TotalSeconds:0} s");
        }
    }
}
