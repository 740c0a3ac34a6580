using System.Net;
using System.Text;
using System.Text.Unicode;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Http;
using Weft.Proxy.Protobuf;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Filters.Authorization.External;

/// <summary>The question (envoy/service/auth/v3/attribute_context.proto). The numbers are the fields of its messages.</summary>
internal static class CheckRequest
{
    public static ReadOnlyMemory<byte> Write(ExchangeContext context, HeaderNames seen)
    {
        var attributes = new ProtobufWriter();
        attributes.Message(1, Peer(new IPEndPoint(context.Facts.ClientAddress, context.Connection.Source.Port), context.Connection.Identity));
        attributes.Message(2, Peer(context.Connection.Destination, null));
        attributes.Message(4, Request(context, seen));
        if (context.Connection.ServerName is { } name)
        {
            var session = new ProtobufWriter();
            session.Text(1, name);
            attributes.Message(12, session);
        }

        var request = new ProtobufWriter();
        request.Message(1, attributes);
        return request.Written;
    }

    private static ProtobufWriter Peer(IPEndPoint place, string? principal)
    {
        var socket = new ProtobufWriter();
        socket.Text(2, place.Address.Plain().ToString());
        socket.Number(3, place.Port);
        var address = new ProtobufWriter();
        address.Message(1, socket);
        var peer = new ProtobufWriter();
        peer.Message(1, address);
        if (principal is not null)
            peer.Text(4, principal);
        return peer;
    }

    private static ProtobufWriter Request(ExchangeContext context, HeaderNames seen)
    {
        var head = context.Request;
        var http = new ProtobufWriter();
        if (head.Headers.TryGet(KnownHeader.XRequestId, out var id))
            Text(http, 1, id);
        Text(http, 2, head.Method);
        Pair(http, ":method"u8, head.Method);
        Pair(http, ":path"u8, context.Facts.Path.Target);
        Pair(http, ":authority"u8, context.Facts.Host.Authority);
        Pair(http, ":scheme"u8, head.Scheme);
        Fields(http, head.Headers, seen);
        Pair(http, "x-forwarded-for"u8, Encoding.ASCII.GetBytes(context.Facts.ClientAddress.ToString()));
        Text(http, 4, context.Facts.Path.Target);
        Text(http, 5, context.Facts.Host.Authority);
        Text(http, 6, head.Scheme);
        http.Number(9, head.ContentLength);
        var time = new ProtobufWriter();
        var ticks = (context.Host.Time - DateTimeOffset.UnixEpoch).Ticks;
        time.Number(1, ticks / TimeSpan.TicksPerSecond);
        time.Number(2, ticks % TimeSpan.TicksPerSecond * 100);
        var request = new ProtobufWriter();
        request.Message(1, time);
        request.Message(2, http);
        return request;
    }

    // A map has a name once: several fields of a name are their list (RFC 9110 section 5.2).
    private static void Fields(ProtobufWriter http, HeaderList headers, HeaderNames seen)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            var name = headers.Name(i);
            if (!seen.Contains(name) || headers.IndexOf(name) != i || headers.Known(i) == KnownHeader.XForwardedFor)
                continue;
            var value = new List<byte>();
            for (var at = i; at >= 0; at = headers.IndexOf(name, at + 1))
            {
                if (value.Count > 0)
                    value.AddRange(headers.Known(i) == KnownHeader.Cookie ? "; "u8 : ","u8);
                value.AddRange(headers.Value(at));
            }

            Pair(http, name, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(value));
        }
    }

    private static void Pair(ProtobufWriter http, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var pair = new ProtobufWriter();
        Text(pair, 1, name);
        Text(pair, 2, value);
        http.Message(3, pair);
    }

    // A text of Protocol Buffers is UTF-8; a field's value may be anything.
    private static void Text(ProtobufWriter to, int field, ReadOnlySpan<byte> value)
    {
        if (Utf8.IsValid(value))
            to.Bytes(field, value);
        else
            to.Text(field, Encoding.UTF8.GetString(value));
    }
}
