using System.Collections.Immutable;

namespace Weft.Proxy.Tls.Settings;

/// <summary>TLS towards endpoints.</summary>
internal sealed record TlsClientSettings
{
    /// <summary>PEM; null: the system's.</summary>
    public ReadOnlyMemory<byte>? AuthoritiesPem { get; init; }

    /// <summary>In place of the check of the host name; null: the name that is connected to must be in the certificate.</summary>
    public PeerPolicy? Peer { get; init; }

    /// <summary>Any certificate will do: only for tests.</summary>
    public bool SkipVerification { get; init; }

    /// <summary>Shown when the endpoint asks; null: none.</summary>
    public TlsCertificate? Certificate { get; init; }

    /// <summary>Best first; empty: ALPN is not spoken.</summary>
    public ImmutableArray<string> Protocols { get; init; } = [];

    /// <summary>An endpoint that chooses none of them is refused.</summary>
    public bool RequireProtocol { get; init; }

    public TlsMinimum MinVersion { get; init; } = TlsMinimum.Tls12;

    public CipherPolicy Ciphers { get; init; } = CipherPolicy.Modern;
}
