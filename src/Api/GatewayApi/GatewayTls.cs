using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>TLS of all listeners, and towards the backends.</summary>
public sealed record GatewayTls
{
    /// <summary>Towards the backends.</summary>
    public GatewayBackendTls? Backend { get; init; }

    /// <summary>Towards the clients.</summary>
    public FrontendTls? Frontend { get; init; }
}

/// <summary>Towards the backends.</summary>
public sealed record GatewayBackendTls
{
    /// <summary>The certificate by which the Gateway shows who it is.</summary>
    public SecretReference? ClientCertificateRef { get; init; }
}

/// <summary>Towards the clients.</summary>
public sealed record FrontendTls
{
    /// <summary>Of all ports that have nothing of their own.</summary>
    [Must] public FrontendTlsConfig Default { get; init; } = new();

    /// <summary>Of single ports.</summary>
    [List(ListType.Map, "port"), Count(0, 64)] public IReadOnlyList<FrontendTlsPort> PerPort { get; init; } = [];
}

/// <summary>Of a port.</summary>
public sealed record FrontendTlsPort
{
    /// <summary>The port.</summary>
    [Must, RangeOf(1, 65535)] public int Port { get; init; }

    /// <summary>How clients show who they are.</summary>
    [Must] public FrontendTlsConfig Tls { get; init; } = new();
}

/// <summary>How clients show who they are.</summary>
public sealed record FrontendTlsConfig
{
    /// <summary>By which roots.</summary>
    public FrontendValidation? Validation { get; init; }
}

/// <summary>By which roots clients show who they are.</summary>
public sealed record FrontendValidation
{
    /// <summary>ConfigMaps with the roots, in ca.crt.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("caCertificateRefs"), Must, Count(1, 8)] public IReadOnlyList<ObjectReference> CACertificateRefs { get; init; } = [];

    /// <summary>AllowValidOnly, or AllowInsecureFallback: clients without a good certificate pass, too.</summary>
    [OneOf("AllowValidOnly", "AllowInsecureFallback"), Default("\"AllowValidOnly\"")] public string? Mode { get; init; }
}
