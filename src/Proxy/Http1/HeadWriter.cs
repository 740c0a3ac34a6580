using System.Buffers.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http1;

/// <summary>Writes heads and chunk frames. Names are in lower case: they are anyway (RFC 9110 section 5.1), and HTTP/2 has no other.</summary>
internal static class HeadWriter
{
    // Status line or request line, framing and connection fields with their numbers.
    private const int Fixed = 256;

    /// <summary>How the length of a body is told.</summary>
    internal enum Framing { None, Length, Chunked, UntilClose }

    public static void Request(ByteQueue output, RequestHead head, Framing framing, ReadOnlySpan<byte> fallbackHost)
    {
        var host = head.Authority.IsEmpty ? fallbackHost : head.Authority;
        var to = output.GetSpan(Size(head.Headers) + head.Method.Length + head.Target.Length + host.Length + head.Upgrade.Length);
        var at = 0;
        Put(to, ref at, head.Method);
        to[at++] = (byte)' ';
        Put(to, ref at, head.Target);
        Put(to, ref at, " HTTP/1.1\r\nhost: "u8);
        Put(to, ref at, host);
        Put(to, ref at, "\r\n"u8);
        Fields(to, ref at, head.Headers);
        PutFraming(to, ref at, framing, head.ContentLength);
        if (!head.Upgrade.IsEmpty)
        {
            Put(to, ref at, "connection: upgrade\r\nupgrade: "u8);
            Put(to, ref at, head.Upgrade);
            Put(to, ref at, "\r\n"u8);
        }
        else if (head.Headers.Has(KnownHeader.Te))
        {
            Put(to, ref at, "connection: te\r\n"u8);
        }

        Put(to, ref at, "\r\n"u8);
        output.Advance(at);
    }

    /// <param name="connection">What the field `connection` says; empty: it is not sent.</param>
    public static void Response(ByteQueue output, ResponseHead head, Framing framing, ReadOnlySpan<byte> connection, ReadOnlySpan<byte> upgrade)
    {
        var to = output.GetSpan(Size(head.Headers) + connection.Length + upgrade.Length);
        var at = 0;
        Put(to, ref at, StatusLines.Of(head.Status));
        Fields(to, ref at, head.Headers);
        PutFraming(to, ref at, framing, head.ContentLength);
        if (!connection.IsEmpty)
        {
            Put(to, ref at, "connection: "u8);
            Put(to, ref at, connection);
            Put(to, ref at, "\r\n"u8);
        }

        if (!upgrade.IsEmpty)
        {
            Put(to, ref at, "upgrade: "u8);
            Put(to, ref at, upgrade);
            Put(to, ref at, "\r\n"u8);
        }

        Put(to, ref at, "\r\n"u8);
        output.Advance(at);
    }

    public static void ChunkSize(ByteQueue output, int length)
    {
        var to = output.GetSpan(16);
        Utf8Formatter.TryFormat((uint)length, to, out var digits, new('x'));
        "\r\n"u8.CopyTo(to[digits..]);
        output.Advance(digits + 2);
    }

    public static void LastChunk(ByteQueue output, HeaderList? trailers)
    {
        if (trailers is null || trailers.Count == 0 || !trailers.IsClean)
        {
            output.Write("0\r\n\r\n"u8);
            return;
        }

        var to = output.GetSpan(Size(trailers));
        var at = 0;
        Put(to, ref at, "0\r\n"u8);
        Fields(to, ref at, trailers);
        Put(to, ref at, "\r\n"u8);
        output.Advance(at);
    }

    private static void PutFraming(Span<byte> to, ref int at, Framing framing, long length)
    {
        if (framing == Framing.Chunked)
        {
            Put(to, ref at, "transfer-encoding: chunked\r\n"u8);
        }
        else if (framing == Framing.Length)
        {
            Put(to, ref at, "content-length: "u8);
            Utf8Formatter.TryFormat(length, to[at..], out var digits);
            at += digits;
            Put(to, ref at, "\r\n"u8);
        }
    }

    // The list counts 32 bytes for each field, of which 4 are needed.
    private static int Size(HeaderList headers) => headers.ListSize + Fixed;

    private static void Fields(Span<byte> to, ref int at, HeaderList headers)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            Put(to, ref at, headers.Name(i));
            to[at++] = (byte)':';
            to[at++] = (byte)' ';
            Put(to, ref at, headers.Value(i));
            to[at++] = (byte)'\r';
            to[at++] = (byte)'\n';
        }
    }

    private static void Put(Span<byte> to, ref int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(to[at..]);
        at += text.Length;
    }
}
