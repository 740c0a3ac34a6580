using Weft.Api.Schemas;

namespace Weft.Api.Istio;

/// <summary>Ports that the front door listens on, and hosts that it takes there.</summary>
[Kind("networking.istio.io", "v1", "Gateway", ShortNames = ["gw"], Categories = ["istio-io", "networking-istio-io"],
    OlderVersions = ["v1beta1", "v1alpha3"], DefinitionPrefix = "io.istio.networking.v1")]
public sealed record Gateway : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>The ports and hosts.</summary>
    public GatewaySpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public IstioStatus Status { get; init; } = new();
}

/// <summary>The ports and hosts of a gateway.</summary>
public sealed record GatewaySpec
{
    /// <summary>The servers.</summary>
    public IReadOnlyList<Server> Servers { get; init; } = [];

    /// <summary>Labels of the front door's workloads.</summary>
    public IReadOnlyDictionary<string, string> Selector { get; init; } = Empty.Strings;
}

/// <summary>A port with its hosts.</summary>
public sealed record Server
{
    // As many as a virtual service has: each of one is held against each of the other.
    public const int MostHosts = 1024;

    /// <summary>The port.</summary>
    [Must] public Port Port { get; init; } = new();

    /// <summary>Address; all by default.</summary>
    public string? Bind { get; init; }

    /// <summary>Hosts, with the namespace of their virtual services before a slash: ns/*.example.com, ./*, */*.</summary>
    [Must, Count(0, MostHosts)] public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>TLS towards clients.</summary>
    public ServerTLSSettings? Tls { get; init; }

    /// <summary>Where connections go that no rule takes.</summary>
    public string? DefaultEndpoint { get; init; }

    /// <summary>Name.</summary>
    public string? Name { get; init; }
}

/// <summary>A port that is listened on.</summary>
public sealed record Port
{
    /// <summary>Number.</summary>
    [Must, RangeOf(0, 65535)] public int Number { get; init; }

    /// <summary>HTTP, HTTPS, GRPC, GRPC-WEB, HTTP2, MONGO, TCP or TLS.</summary>
    [Must] public string Protocol { get; init; } = "";

    /// <summary>Name.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Not used.</summary>
    [RangeOf(0, 65535)] public int? TargetPort { get; init; }
}

/// <summary>TLS towards clients.</summary>
public sealed record ServerTLSSettings
{
    /// <summary>Requests by http are sent to https.</summary>
    public bool? HttpsRedirect { get; init; }

    /// <summary>Whether TLS is ended here, and whether clients show certificates.</summary>
    [OneOf("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL")] public string? Mode { get; init; }

    /// <summary>File with the certificate.</summary>
    public string? ServerCertificate { get; init; }

    /// <summary>File with its key.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>File with the authorities of clients.</summary>
    public string? CaCertificates { get; init; }

    /// <summary>File with revoked certificates.</summary>
    public string? CaCrl { get; init; }

    /// <summary>Secret with certificate and key, and the authorities of clients.</summary>
    public string? CredentialName { get; init; }

    /// <summary>Several secrets, for keys of different kinds.</summary>
    public IReadOnlyList<string> CredentialNames { get; init; } = [];

    /// <summary>Secret with the authorities of clients.</summary>
    public string? CaCertCredentialName { get; init; }

    /// <summary>Files with certificates and keys.</summary>
    public IReadOnlyList<TLSCertificate> TlsCertificates { get; init; } = [];

    /// <summary>One of them must be in the client's certificate.</summary>
    public IReadOnlyList<string> SubjectAltNames { get; init; } = [];

    /// <summary>Hashes of keys that clients may have.</summary>
    public IReadOnlyList<string> VerifyCertificateSpki { get; init; } = [];

    /// <summary>Hashes of certificates that clients may have.</summary>
    public IReadOnlyList<string> VerifyCertificateHash { get; init; } = [];

    /// <summary>Oldest version; 1.2 by default.</summary>
    [OneOf("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")] public string? MinProtocolVersion { get; init; }

    /// <summary>Newest version.</summary>
    [OneOf("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")] public string? MaxProtocolVersion { get; init; }

    /// <summary>Cipher suites.</summary>
    public IReadOnlyList<string> CipherSuites { get; init; } = [];
}

/// <summary>A certificate with its key, in files.</summary>
public sealed record TLSCertificate
{
    /// <summary>File with the certificate.</summary>
    public string? ServerCertificate { get; init; }

    /// <summary>File with its key.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>File with the authorities of clients.</summary>
    public string? CaCertificates { get; init; }
}
