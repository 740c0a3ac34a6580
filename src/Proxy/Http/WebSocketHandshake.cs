using System.Buffers.Text;
using System.Security.Cryptography;
using Weft.Balancing;

namespace Weft.Proxy.Http;

/// <summary>
/// The key of a WebSocket's opening and the proof that it was understood (RFC 6455 section 4). HTTP/1.1 has them, HTTP/2 has not (RFC 8441 section 5): whoever translates
/// makes the one and checks or makes the other.
/// </summary>
internal static class WebSocketHandshake
{
    private const int KeyBytes = 16;

    // 24 letters, of a client that keeps to the standard.
    private const int MaxKeyLength = 64;

    public static ReadOnlySpan<byte> Key => "sec-websocket-key"u8;

    public static ReadOnlySpan<byte> Accept => "sec-websocket-accept"u8;

    public static bool IsWebSocket(ReadOnlySpan<byte> upgrade) => Ascii.Is(upgrade, "websocket"u8);

    /// <summary>For a client that had no need of one.</summary>
    public static void SetKey(HeaderList headers, ref Rng rng)
    {
        Span<byte> random = stackalloc byte[KeyBytes];
        BitConverter.TryWriteBytes(random, rng.Next());
        BitConverter.TryWriteBytes(random[sizeof(ulong)..], rng.Next());
        Span<byte> text = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(KeyBytes)];
        Base64.EncodeToUtf8(random, text, out _, out _);
        headers.Set(Key, text);
    }

    /// <summary>What an HTTP/1.1 server would have answered to this key.</summary>
    public static void SetAccept(HeaderList response, ReadOnlySpan<byte> key)
    {
        Span<byte> accept = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(SHA1.HashSizeInBytes)];
        if (TryAccept(key, accept))
            response.Set(Accept, accept);
    }

    /// <summary>The response proves that its server has understood the request; what proved it is taken off.</summary>
    public static bool TakeAccept(HeaderList response, HeaderList request)
    {
        var (at, asked) = (response.IndexOf(Accept), request.IndexOf(Key));
        Span<byte> accept = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(SHA1.HashSizeInBytes)];
        if (at < 0 || asked < 0 || !TryAccept(request.Value(asked), accept) || !response.Value(at).SequenceEqual(accept))
            return false;
        response.Remove(Accept);
        return true;
    }

    private static bool TryAccept(ReadOnlySpan<byte> key, Span<byte> accept)
    {
        var salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;
        if (key.IsEmpty || key.Length > MaxKeyLength)
            return false;
        Span<byte> text = stackalloc byte[MaxKeyLength + salt.Length];
        key.CopyTo(text);
        salt.CopyTo(text[key.Length..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // the standard's choice; nothing secret hangs on it
        SHA1.HashData(text[..(key.Length + salt.Length)], hash);
#pragma warning restore CA5350
        Base64.EncodeToUtf8(hash, accept, out _, out _);
        return true;
    }
}
