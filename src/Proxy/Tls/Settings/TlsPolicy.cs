using System.Collections.Immutable;

namespace Weft.Proxy.Tls.Settings;

/// <summary>TLS 1.0 and 1.1 are gone (RFC 8996).</summary>
internal enum TlsMinimum { Tls12, Tls13 }

/// <summary>
/// What both sides may agree on. The defaults: forward secrecy and AEAD only (RFC 9325 section 4.2). AES-128 first: a fifth less work for bulk data than AES-256 where
/// both have hardware; a client without it that puts ChaCha20 first gets that.
/// </summary>
internal sealed record CipherPolicy
{
    public string Tls12 { get; init; } =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

    public string Tls13 { get; init; } = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

    public string Groups { get; init; } = "X25519:P-256:P-384";

    public static CipherPolicy Modern { get; } = new();
}

/// <summary>What a peer's certificate must be besides signed by an authority and in its time.</summary>
internal sealed record PeerPolicy
{
    /// <summary>The certificate must name its use (client or server) in ExtendedKeyUsage. When false, one without the extension passes; one for another use never does.</summary>
    public bool RequireUsage { get; init; } = true;

    /// <summary>It must be an X509-SVID: exactly one URI name, `spiffe://domain/path`, and no authority's certificate.</summary>
    public bool Spiffe { get; init; }

    /// <summary>Of SPIFFE names; empty: any.</summary>
    public ImmutableArray<string> TrustDomains { get; init; } = [];

    /// <summary>One of its URI or DNS names must satisfy this; null: none needs to.</summary>
    public Predicate<string>? Names { get; init; }
}

internal enum ClientCertificateMode
{
    None,
    /// <summary>Asked for; one that is given must be good.</summary>
    Optional,
    Required,
}
