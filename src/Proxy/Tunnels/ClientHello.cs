using System.Buffers.Binary;
using System.Text;

namespace Weft.Proxy.Tunnels;

internal enum HelloResult { Incomplete, Done, NotTls }

/// <summary>
/// The server name of a ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3), without taking part in the handshake. The hello may lie in several records.
/// </summary>
internal static class ClientHello
{
    // Hellos with post-quantum keys have 2 KB; no client needs more than one full record.
    private const int MaxBytes = 16 << 10;
    private const int Handshake = 22, Hello = 1, ServerNameExtension = 0;

    /// <param name="serverName">In lower case; null: the client named none.</param>
    public static HelloResult Read(ReadOnlySpan<byte> data, out string? serverName)
    {
        serverName = null;
        if (!data.IsEmpty && data[0] != Handshake)
            return HelloResult.NotTls;
        Span<byte> message = stackalloc byte[MaxBytes];
        var length = 0;
        while (true)
        {
            if (data.Length < 5)
                return HelloResult.Incomplete;
            var record = BinaryPrimitives.ReadUInt16BigEndian(data[3..]);
            if (data[0] != Handshake || data[1] != 3 || record == 0 || length + record > MaxBytes)
                return HelloResult.NotTls;
            var part = data[5..Math.Min(data.Length, 5 + record)];
            part.CopyTo(message[length..]);
            length += part.Length;
            if (length >= 1 && message[0] != Hello)
                return HelloResult.NotTls;
            if (length >= 4)
            {
                var whole = 4 + ((message[1] << 16) | (message[2] << 8) | message[3]);
                if (whole > MaxBytes)
                    return HelloResult.NotTls;
                if (length >= whole)
                    return Parse(message[4..whole], out serverName) ? HelloResult.Done : HelloResult.NotTls;
            }

            if (part.Length < record)
                return HelloResult.Incomplete;
            data = data[(5 + record)..];
        }
    }

    private static bool Parse(ReadOnlySpan<byte> hello, out string? serverName)
    {
        serverName = null;
        // Version and random; then session id, cipher suites, compression methods, each with its length in front.
        if (hello.Length < 34)
            return false;
        var rest = hello[34..];
        if (!Skip(ref rest, 1) || !Skip(ref rest, 2) || !Skip(ref rest, 1))
            return false;
        if (rest.IsEmpty)
            return true;
        if (!Take(ref rest, 2, out var extensions))
            return false;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < 4)
                return false;
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!Take(ref extensions, 2, out var body))
                return false;
            if (type == ServerNameExtension)
                return Name(body, out serverName);
        }

        return true;
    }

    private static bool Name(ReadOnlySpan<byte> body, out string? serverName)
    {
        serverName = null;
        if (!Take(ref body, 2, out var list) || list.Length < 3 || list[0] != 0)
            return false;
        list = list[1..];
        if (!Take(ref list, 2, out var name) || name.IsEmpty || name.Length > 255)
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'-' or (byte)'.' or (byte)'_'))
                return false;
        }

        serverName = Encoding.ASCII.GetString(name).ToLowerInvariant();
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> data, int lengthBytes) => Take(ref data, lengthBytes, out _);

    private static bool Take(ref ReadOnlySpan<byte> data, int lengthBytes, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (data.Length < lengthBytes)
            return false;
        var length = lengthBytes == 1 ? data[0] : BinaryPrimitives.ReadUInt16BigEndian(data);
        if (data.Length < lengthBytes + length)
            return false;
        taken = data.Slice(lengthBytes, length);
        data = data[(lengthBytes + length)..];
        return true;
    }
}
