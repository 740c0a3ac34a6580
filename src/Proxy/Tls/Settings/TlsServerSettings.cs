using System.Collections.Immutable;

namespace Weft.Proxy.Tls.Settings;

/// <summary>What is asked of clients.</summary>
internal sealed record ClientCertificateSettings
{
    public ClientCertificateMode Mode { get; init; }

    /// <summary>PEM of the authorities; each of them is an anchor, whether it has signed itself or not.</summary>
    public ReadOnlyMemory<byte> AuthoritiesPem { get; init; }

    public PeerPolicy Policy { get; init; } = new();

    public static ClientCertificateSettings None { get; } = new();
}

/// <summary>What clients that ask for one of the names meet.</summary>
internal sealed record TlsHost
{
    /// <summary>`a.example`, `*.example` (any number of labels, as in Gateway API), `*` for all others; none: the DNS names of the certificates.</summary>
    public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>One for each kind of key (ECDSA, RSA); the client's offer chooses.</summary>
    public ImmutableArray<TlsCertificate> Certificates { get; init; } = [];

    public ClientCertificateSettings Clients { get; init; } = ClientCertificateSettings.None;

    /// <summary>What the rules for its clients are called (<see cref="Config.Model.ListenerTlsHost.Rules"/>).</summary>
    public string Rules { get; init; } = "";

    /// <summary>Null: that of the settings.</summary>
    public TlsMinimum? MinVersion { get; init; }

    /// <summary>Who asks for it is refused, whoever has its certificates.</summary>
    public bool Refuses { get; init; }
}

/// <summary>TLS towards clients.</summary>
internal sealed record TlsServerSettings
{
    public ImmutableArray<TlsHost> Hosts { get; init; } = [];

    /// <summary>Which of them serves clients that name no server, or one that no host has, where none is for `*`.</summary>
    public int Fallback { get; init; }

    /// <summary>Such clients are refused.</summary>
    public bool RequireServerName { get; init; }

    /// <summary>Best first. A client that offers others only is refused (RFC 7301 section 3.2); empty: ALPN is not spoken.</summary>
    public ImmutableArray<string> Protocols { get; init; } = [];

    /// <summary>A client without ALPN is refused, too: no other protocol can be mistaken for this one (ALPACA).</summary>
    public bool RequireProtocol { get; init; }

    public TlsMinimum MinVersion { get; init; } = TlsMinimum.Tls12;

    public CipherPolicy Ciphers { get; init; } = CipherPolicy.Modern;

    /// <summary>For how long a session may be resumed; zero: never (nginx' ssl_session_timeout: 5 min).</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>TLS 1.3 tickets of a full handshake, each for one resumption; OpenSSL's default.</summary>
    public int Tickets { get; init; } = 2;
}
