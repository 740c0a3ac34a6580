using System.Net;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Mesh;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Routing;

/// <summary>Keys of an issuer of tokens are fetched from a host of the mesh.</summary>
/// <param name="Namespace">Whose policy names the host; null: it was found by the address that it has for everybody outside.</param>
internal sealed record KeyFetch(string Host, string? Namespace);

/// <summary>What is known of a connection before its first request, and holds for all of them.</summary>
internal sealed record ConnectionFacts
{
    /// <summary>Of the peer, or of the one it speaks for by the PROXY protocol.</summary>
    public required IPEndPoint Source { get; init; }

    /// <summary>Where the connection was meant to go: the address before it was captured.</summary>
    public required IPEndPoint Destination { get; init; }

    public bool IsTls { get; init; }

    /// <summary>In the client's TLS hello, in lower case; null: none.</summary>
    public string? ServerName { get; init; }

    /// <summary>The listener asks for client certificates: a request for another name must not come through it.</summary>
    public bool HasClientCertificates { get; init; }

    /// <summary>What the rules for clients are called by which TLS was ended here (<see cref="HostRules.Name"/>).</summary>
    public string TlsRules { get; init; } = "";

    /// <summary>The verified identity, `spiffe://domain/ns/namespace/sa/account`; null: unknown.</summary>
    public string? Identity { get; init; }

    public string? Namespace { get; init; }

    public string? ServiceAccount { get; init; }

    public ValueMap Labels { get; init; }

    /// <summary>Captured in the mesh, on either side; null: not.</summary>
    public MeshConnection? Mesh { get; init; }

    /// <summary>X-Forwarded-* of this peer is believed.</summary>
    public bool IsTrustedProxy { get; init; }

    /// <summary>The source's address as a field value has it; written once for all requests.</summary>
    public byte[] SourceText => _sourceText ??= System.Text.Encoding.ASCII.GetBytes(Source.Address.Plain().ToString());

    /// <summary><see cref="ServerName"/> for records; empty: none.</summary>
    public byte[] ServerNameText => _serverNameText ??= System.Text.Encoding.UTF8.GetBytes(ServerName ?? "");

    private byte[]? _sourceText, _serverNameText;

    /// <param name="serverName">Of the hello where TLS is not ended here; null: of <paramref name="tls"/>, if there is any.</param>
    public static ConnectionFacts Of(IPEndPoint? source, IPEndPoint? destination, ITlsEngine? tls, string? serverName, bool hasClientCertificates)
    {
        var facts = new ConnectionFacts
        {
            Source = source ?? Nowhere,
            Destination = destination ?? Nowhere,
            IsTls = tls is not null,
            ServerName = (serverName ?? tls?.ServerName)?.ToLowerInvariant(),
            HasClientCertificates = hasClientCertificates,
            TlsRules = tls?.Rules?.Name ?? "",
        };
        return tls?.PeerUri is { } identity ? WithIdentity(facts, identity) : facts;
    }

    private static readonly IPEndPoint Nowhere = new(IPAddress.None, 0);

    /// <summary>What it fetches, where a tenant's word says from whom; null: it is no such fetch.</summary>
    public KeyFetch? Keys { get; init; }

    /// <summary>Of what the proxy asks for itself; in the mesh it does so as the front door.</summary>
    public static ConnectionFacts OfProxy { get; } = new() { Source = Nowhere, Destination = Nowhere };

    /// <summary>Takes namespace and account from the identity, where it has Istio's form.</summary>
    public static ConnectionFacts WithIdentity(ConnectionFacts connection, string identity)
    {
        var facts = connection with { Identity = identity };
        var parts = identity.Split('/');
        return parts is ["spiffe:", "", _, "ns", var ns, "sa", var account] ? facts with { Namespace = ns, ServiceAccount = account } : facts;
    }
}
