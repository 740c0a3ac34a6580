using System.Buffers.Text;
using Weft.Proxy.Http;
using Weft.Proxy.Http2.Frames;
using Weft.Proxy.Http2.Hpack;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Http2.Heads;

/// <summary>Header blocks as HEADERS and CONTINUATION frames. Fields of a connection are left out, whoever put them there (RFC 9113 section 8.2.2).</summary>
internal static class HeadWriter
{
    // Pseudo-headers with their prefixes, a status or a length, and changes of the table's size.
    private const int Fixed = 192;

    /// <param name="secure">Of this connection: servers (Kestrel) refuse a request whose scheme is not that of the way it came. How the client came is in x-forwarded-proto.</param>
    public static void Request(ByteQueue output, HpackEncoder encoder, int streamId, RequestHead head, bool secure, bool end, int maxFrame)
    {
        var room = head.Headers.ListSize + head.Method.Length + head.Authority.Length + head.Target.Length + head.Upgrade.Length + Fixed;
        var span = output.GetSpan(FrameWriter.RoomForBlock(room));
        var to = span[FrameHeader.Size..];
        var at = encoder.Begin(to);
        var isConnect = head.Method.SequenceEqual("CONNECT"u8);
        if (!head.Upgrade.IsEmpty)
        {
            at += encoder.Pseudo(to[at..], StaticTable.MethodGet, "CONNECT"u8);
            at += encoder.Pseudo(to[at..], ":protocol"u8, head.Upgrade);
        }
        else if (head.Method.SequenceEqual("GET"u8))
        {
            at += HpackEncoder.StaticField(to[at..], StaticTable.MethodGet);
        }
        else
        {
            at += head.Method.SequenceEqual("POST"u8) ? HpackEncoder.StaticField(to[at..], StaticTable.MethodPost) : encoder.Pseudo(to[at..], StaticTable.MethodGet, head.Method);
        }

        if (!isConnect)
        {
            at += HpackEncoder.StaticField(to[at..], secure ? StaticTable.SchemeHttps : StaticTable.SchemeHttp);
            at += head.Target is [(byte)'/'] ? HpackEncoder.StaticField(to[at..], StaticTable.PathRoot) : encoder.Pseudo(to[at..], StaticTable.PathRoot, head.Target);
        }

        at += encoder.Pseudo(to[at..], StaticTable.Authority, head.Authority);
        // "content-length: 0" where a body is usual, as over HTTP/1.1 (RFC 9110 section 8.6).
        if (!isConnect && head.Upgrade.IsEmpty && (head.ContentLength > 0 || (head.ContentLength == 0 && (head.Method is [(byte)'P', ..] && HasBodyUsually(head.Method)))))
            at += Length(to[at..], head.ContentLength);
        at += Fields(to[at..], encoder, head.Headers);
        output.Advance(FrameWriter.FinishBlock(span, at, streamId, end, maxFrame));
    }

    /// <param name="status">Of the head, but for a tunnel that stands (RFC 8441 section 4: 200 for 101).</param>
    public static void Response(ByteQueue output, HpackEncoder encoder, int streamId, ResponseHead head, int status, bool withLength, bool end, int maxFrame)
    {
        var span = output.GetSpan(FrameWriter.RoomForBlock(head.Headers.ListSize + Fixed));
        var to = span[FrameHeader.Size..];
        var at = encoder.Begin(to);
        at += Status(to[at..], encoder, status);
        if (withLength && head.ContentLength >= 0)
            at += Length(to[at..], head.ContentLength);
        at += Fields(to[at..], encoder, head.Headers);
        output.Advance(FrameWriter.FinishBlock(span, at, streamId, end, maxFrame));
    }

    /// <summary>A head that has a status only.</summary>
    public static void StatusAlone(ByteQueue output, HpackEncoder encoder, int streamId, int status, bool end)
    {
        var span = output.GetSpan(FrameHeader.Size + Fixed);
        var at = encoder.Begin(span[FrameHeader.Size..]);
        at += Status(span[(FrameHeader.Size + at)..], encoder, status);
        output.Advance(FrameWriter.FinishBlock(span, at, streamId, end, FrameHeader.DefaultMaxLength));
    }

    public static void Trailers(ByteQueue output, HpackEncoder encoder, int streamId, HeaderList trailers, int maxFrame)
    {
        var span = output.GetSpan(FrameWriter.RoomForBlock(trailers.ListSize + Fixed));
        var at = encoder.Begin(span[FrameHeader.Size..]);
        at += Fields(span[(FrameHeader.Size + at)..], encoder, trailers);
        output.Advance(FrameWriter.FinishBlock(span, at, streamId, end: true, maxFrame));
    }

    private static int Status(Span<byte> to, HpackEncoder encoder, int status)
    {
        var index = status switch { 200 => 8, 204 => 9, 206 => 10, 304 => 11, 400 => 12, 404 => 13, 500 => 14, _ => 0 };
        if (index != 0)
            return HpackEncoder.StaticField(to, index);
        Span<byte> digits = stackalloc byte[4];
        Utf8Formatter.TryFormat(status, digits, out var length);
        return encoder.Pseudo(to, StaticTable.Status200, digits[..length]);
    }

    private static int Length(Span<byte> to, long value)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, digits, out var length);
        return HpackEncoder.Passing(to, StaticTable.ContentLength, digits[..length]);
    }

    private static bool HasBodyUsually(ReadOnlySpan<byte> method) => method.SequenceEqual("POST"u8) || method.SequenceEqual("PUT"u8) || method.SequenceEqual("PATCH"u8);

    private static int Fields(Span<byte> to, HpackEncoder encoder, HeaderList headers)
    {
        var at = 0;
        for (var i = 0; i < headers.Count; i++)
        {
            var known = headers.Known(i);
            if (FieldReader.IsConnectionSpecific(known) || known is KnownHeader.Http2Settings or KnownHeader.Host or KnownHeader.ContentLength)
                continue;
            if (known == KnownHeader.Te && !Ascii.Is(headers.Value(i), "trailers"u8))
                continue;
            at += encoder.Field(to[at..], headers.Name(i), headers.Value(i), known, headers.IsNeverIndexed(i));
        }

        return at;
    }
}
