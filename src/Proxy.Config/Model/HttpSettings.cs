namespace Weft.Proxy.Config.Model;

/// <summary>What a path's escaped separators (`%2f`, `%5c`) become. Whatever it is, route, policy and endpoint see the same.</summary>
public enum EscapedSlashes
{
    /// <summary>400: the safe way, for endpoints disagree on what it means.</summary>
    Refuse,
    /// <summary>Left as `%2F`: part of a segment.</summary>
    Keep,
    /// <summary>Becomes `/`, before dot segments are taken out.</summary>
    Decode,
}

/// <summary>How paths are brought into the one form that route, policy and endpoint see.</summary>
public sealed record PathSettings
{
    public static readonly PathSettings Default = new();

    public EscapedSlashes EscapedSlashes { get; init; } = EscapedSlashes.Refuse;

    /// <summary>`//` becomes `/` (nginx: merge_slashes on).</summary>
    public bool MergeSlashes { get; init; } = true;
}

/// <summary>What a listener takes from HTTP clients.</summary>
public sealed record HttpSettings
{
    // Before Default, which is made with it: statics are set in the order of the text.
    /// <summary>What proxies and meshes say about a client's identity and about their own routing (Envoy's edge list, Istio's, nginx' auth modules).</summary>
    public static readonly ValueList<string> DefaultStripHeaders =
    [
        "x-forwarded-client-cert", "x-envoy-*", "x-weft-*", "x-istio-attributes", "x-jwt-*", "x-client-cert*", "x-ssl-client-*", "ssl-client-*",
        "x-forwarded-user", "x-forwarded-email", "x-forwarded-groups", "x-forwarded-preferred-username", "x-auth-request-*", "x-original-url", "x-rewrite-url",
    ];

    public static readonly HttpSettings Default = new();

    public bool Http1 { get; init; } = true;

    /// <summary>By ALPN, and by prior knowledge where there is no TLS.</summary>
    public bool Http2 { get; init; } = true;

    public PathSettings Path { get; init; } = PathSettings.Default;

    /// <summary>Method, target and version of HTTP/1.1: nginx' 8 KB, the least that RFC 9112 section 3 recommends.</summary>
    public int MaxRequestLineBytes { get; init; } = 8 << 10;

    /// <summary>All fields together: nginx' large_client_header_buffers (4 x 8 KB).</summary>
    public int MaxHeaderBytes { get; init; } = 32 << 10;

    /// <summary>Envoy's and nginx' 100.</summary>
    public int MaxHeaders { get; init; } = 100;

    /// <summary>Largest body of a request; 0: any. Routes may say otherwise. nginx has 1 MB, Envoy no limit; a proxy that streams needs none.</summary>
    public long MaxRequestBytes { get; init; }

    /// <summary>Streams of an HTTP/2 connection at once. RFC 9113 section 6.5.2 recommends no fewer than 100; nginx has 128.</summary>
    public int MaxConcurrentStreams { get; init; } = 128;

    /// <summary>Flow-control window of an HTTP/2 stream. 64 KB is the protocol's own start; larger ones are for fast long ways.</summary>
    public int StreamWindowBytes { get; init; } = 256 << 10;

    public int ConnectionWindowBytes { get; init; } = 1 << 20;

    /// <summary>From the first byte of a request to the end of its head: slow senders hold nothing for long. Kestrel's 30 s, half of nginx'.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection without a request for so long is closed (nginx: keepalive_timeout 75 s).</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>An exchange in which no byte moves for so long is ended (Envoy: stream_idle_timeout 5 min). Routes may say otherwise.</summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A connection is told to go after so many requests; 0: never.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>A connection is told to go after so long; zero: never.</summary>
    public TimeSpan MaxConnectionAge { get; init; }

    /// <summary>Address ranges whose X-Forwarded-* is believed. Of all others it is replaced.</summary>
    public ValueList<string> TrustedProxies { get; init; } = [];

    /// <summary>
    /// Fields that a client must not choose: taken off before anything looks at them, also from <see cref="TrustedProxies"/>, which pass on what their clients say. For a proxy in front that sets one
    /// of them itself, give a list without it. A name ending in `*` is a prefix.
    /// </summary>
    public ValueList<string> StripHeaders { get; init; } = DefaultStripHeaders;

    /// <summary>Adds x-request-id where there is none.</summary>
    public bool RequestId { get; init; } = true;

    /// <summary>CONNECT is passed to routes that allow it; otherwise 405.</summary>
    public bool AllowConnect { get; init; }

    /// <summary>Requests whose host is not what the client named in its TLS hello are answered 421 where the listener has client certificates.</summary>
    public bool MatchServerName { get; init; } = true;
}
