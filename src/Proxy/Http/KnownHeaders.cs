namespace Weft.Proxy.Http;

/// <summary>From a lower-case field name to its number.</summary>
internal static class KnownHeaders
{
    /// <summary><see cref="KnownHeader.None"/> for all others. The length decides first, so that most names cost one comparison or none.</summary>
    public static KnownHeader Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => name.SequenceEqual("te"u8) ? KnownHeader.Te : name.SequenceEqual("b3"u8) ? KnownHeader.B3 : KnownHeader.None,
        3 => name.SequenceEqual("via"u8) ? KnownHeader.Via : KnownHeader.None,
        4 => name[0] switch
        {
            (byte)'h' => Is(name, "host"u8, KnownHeader.Host),
            (byte)'d' => Is(name, "date"u8, KnownHeader.Date),
            _ => Is(name, "vary"u8, KnownHeader.Vary),
        },
        6 => name[0] switch
        {
            (byte)'a' => Is(name, "accept"u8, KnownHeader.Accept),
            (byte)'c' => Is(name, "cookie"u8, KnownHeader.Cookie),
            (byte)'e' => Is(name, "expect"u8, KnownHeader.Expect),
            (byte)'o' => Is(name, "origin"u8, KnownHeader.Origin),
            _ => Is(name, "server"u8, KnownHeader.Server),
        },
        7 => name[0] == 'u' ? Is(name, "upgrade"u8, KnownHeader.Upgrade) : Is(name, "trailer"u8, KnownHeader.Trailer),
        8 => Is(name, "location"u8, KnownHeader.Location),
        9 => Is(name, "forwarded"u8, KnownHeader.Forwarded),
        10 => name[0] switch
        {
            (byte)'c' => Is(name, "connection"u8, KnownHeader.Connection),
            (byte)'k' => Is(name, "keep-alive"u8, KnownHeader.KeepAlive),
            (byte)'s' => Is(name, "set-cookie"u8, KnownHeader.SetCookie),
            (byte)'t' => Is(name, "tracestate"u8, KnownHeader.Tracestate),
            (byte)'x' => Is(name, "x-b3-flags"u8, KnownHeader.XB3Flags),
            _ => Is(name, "user-agent"u8, KnownHeader.UserAgent),
        },
        11 => name[0] switch
        {
            (byte)'g' => Is(name, "grpc-status"u8, KnownHeader.GrpcStatus),
            (byte)'r' => Is(name, "retry-after"u8, KnownHeader.RetryAfter),
            (byte)'x' => Is(name, "x-b3-spanid"u8, KnownHeader.XB3Spanid),
            _ => Is(name, "traceparent"u8, KnownHeader.Traceparent),
        },
        12 => name[0] switch
        {
            (byte)'c' => Is(name, "content-type"u8, KnownHeader.ContentType),
            (byte)'x' => name[5] switch
            {
                (byte)'s' => Is(name, "x-b3-sampled"u8, KnownHeader.XB3Sampled),
                (byte)'t' => Is(name, "x-b3-traceid"u8, KnownHeader.XB3Traceid),
                _ => Is(name, "x-request-id"u8, KnownHeader.XRequestId),
            },
            _ => name[5] == 't' ? Is(name, "grpc-timeout"u8, KnownHeader.GrpcTimeout) : Is(name, "grpc-message"u8, KnownHeader.GrpcMessage),
        },
        13 => name[0] switch
        {
            (byte)'a' => Is(name, "authorization"u8, KnownHeader.Authorization),
            _ => Is(name, "cache-control"u8, KnownHeader.CacheControl),
        },
        14 => name[0] == 'h' ? Is(name, "http2-settings"u8, KnownHeader.Http2Settings) : Is(name, "content-length"u8, KnownHeader.ContentLength),
        15 => name[0] == 'a' ? Is(name, "accept-encoding"u8, KnownHeader.AcceptEncoding) : Is(name, "x-forwarded-for"u8, KnownHeader.XForwardedFor),
        16 => name[0] switch
        {
            (byte)'c' => Is(name, "content-encoding"u8, KnownHeader.ContentEncoding),
            (byte)'p' => Is(name, "proxy-connection"u8, KnownHeader.ProxyConnection),
            (byte)'w' => Is(name, "www-authenticate"u8, KnownHeader.WwwAuthenticate),
            _ => Is(name, "x-forwarded-host"u8, KnownHeader.XForwardedHost),
        },
        17 => name[0] == 't' ? Is(name, "transfer-encoding"u8, KnownHeader.TransferEncoding) : Is(name, "x-forwarded-proto"u8, KnownHeader.XForwardedProto),
        18 => Is(name, "proxy-authenticate"u8, KnownHeader.ProxyAuthenticate),
        19 => Is(name, "proxy-authorization"u8, KnownHeader.ProxyAuthorization),
        29 => Is(name, "access-control-request-method"u8, KnownHeader.AccessControlRequestMethod),
        30 => Is(name, "access-control-request-headers"u8, KnownHeader.AccessControlRequestHeaders),
        _ => KnownHeader.None,
    };

    private static KnownHeader Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> known, KnownHeader number) => name.SequenceEqual(known) ? number : KnownHeader.None;
}
