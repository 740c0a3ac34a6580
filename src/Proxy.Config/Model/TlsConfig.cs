namespace Weft.Proxy.Config.Model;

/// <summary>Text that stands here or in a file. A file is read when the configuration is applied and again when it changes.</summary>
public sealed record DataSource
{
    public string? File { get; init; }

    public string? Inline { get; init; }

    // Keys come this way: neither a log nor a message of a test may show them.
    public override string ToString() => File is null ? "(inline)" : $"(file {File})";
}

/// <summary>A certificate with its key, by the name that listeners and clusters call it.</summary>
public sealed record CertificateConfig
{
    public string Name { get; init; } = "";

    /// <summary>PEM: the certificate, then those between it and the root.</summary>
    public DataSource Chain { get; init; } = new();

    /// <summary>PEM, not encrypted.</summary>
    public DataSource Key { get; init; } = new();
}

public enum ClientCertificates
{
    /// <summary>Not asked for.</summary>
    None,
    /// <summary>Asked for; one that is given must be good.</summary>
    Optional,
    Required,
}

public enum TlsVersion { Tls12, Tls13 }

/// <summary>TLS towards clients.</summary>
public sealed record ListenerTls
{
    /// <summary>Names of certificates; the one whose names match what the client asks for is taken, else the first.</summary>
    public ValueList<string> Certificates { get; init; } = [];

    public ClientCertificates ClientCertificates { get; init; } = ClientCertificates.None;

    /// <summary>PEM of the authorities that client certificates are checked against.</summary>
    public DataSource? ClientAuthorities { get; init; }

    /// <summary>One of the client's subject names must match one of these; none: each that the authorities vouch for.</summary>
    public ValueList<StringMatch> ClientNames { get; init; } = [];

    /// <summary>Protocols that are offered, best first.</summary>
    public ValueList<string> Alpn { get; init; } = ["h2", "http/1.1"];

    /// <summary>TLS 1.0 and 1.1 are gone (RFC 8996).</summary>
    public TlsVersion MinVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>A client that names no server, or one that no certificate has, is refused.</summary>
    public bool RequireServerName { get; init; }

    /// <summary>Hosts with TLS of their own. A client that names none of them meets the one for `*`, or what stands above, or the first of these.</summary>
    public ValueList<ListenerTlsHost> Hosts { get; init; } = [];

    /// <summary>Names, as in <see cref="ListenerTlsHost.Names"/>, whose TLS is not ended here: the listener's <see cref="ListenerConfig.ConnectionRoutes"/> say where it goes. Of HTTP listeners.</summary>
    public ValueList<string> Passthrough { get; init; } = [];

    /// <summary>For how long a session may be resumed; zero: never. nginx' ssl_session_timeout is 5 min, Envoy's tickets live for days.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A handshake that takes longer is ended (Envoy's transport_socket_connect_timeout in Istio: 15 s).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>What clients meet that ask for one of its names.</summary>
public sealed record ListenerTlsHost
{
    /// <summary>`a.example`, `*.example` (any number of labels), `*`. The exact name goes before the longest wildcard; of equal ones the first host has it.</summary>
    public ValueList<string> Names { get; init; } = [];

    /// <summary>
    /// What its rules for clients are called. A request reaches a host only over a connection that was made by rules of the same name (RFC 9110 section 7.4: 421 otherwise), so hosts with other
    /// rules need another name. Empty: those of a listener without hosts.
    /// </summary>
    public string Rules { get; init; } = "";

    /// <summary>Names of certificates, one for each kind of key. None: clients are refused.</summary>
    public ValueList<string> Certificates { get; init; } = [];

    /// <summary>As in <see cref="ListenerTls"/>, and so is the rest.</summary>
    public ClientCertificates ClientCertificates { get; init; } = ClientCertificates.None;

    public DataSource? ClientAuthorities { get; init; }

    public ValueList<StringMatch> ClientNames { get; init; } = [];

    public TlsVersion MinVersion { get; init; } = TlsVersion.Tls12;
}

/// <summary>TLS towards endpoints.</summary>
public sealed record UpstreamTls
{
    /// <summary>Name that is asked for and that the certificate must have; null: the endpoint's host name.</summary>
    public string? ServerName { get; init; }

    /// <summary>PEM; null: those of the system.</summary>
    public DataSource? Authorities { get; init; }

    /// <summary>Any certificate will do: only for tests.</summary>
    public bool SkipVerification { get; init; }

    /// <summary>One of the endpoint's subject names must match one of these, in place of the server name.</summary>
    public ValueList<StringMatch> Names { get; init; } = [];

    /// <summary>Name of the certificate to show; null: none.</summary>
    public string? Certificate { get; init; }

    public TlsVersion MinVersion { get; init; } = TlsVersion.Tls12;
}
