using System.Diagnostics.CodeAnalysis;
using System.Text;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>
/// TLS of one identity under one bundle, for both sides: TLS 1.3, HTTP/2, a certificate of the mesh from the peer. Nothing is resumed: connections are few and long, and
/// each handshake asks anew who the peer is.
/// </summary>
internal sealed class IdentityContexts : IDisposable
{
    private IdentityContexts(TlsServerContext server, TlsClientContext client, DateTimeOffset notAfter, long generation) =>
        (Server, Client, NotAfter, Generation) = (server, client, notAfter, generation);

    public TlsServerContext Server { get; }

    public TlsClientContext Client { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>Of the certificate and bundle; no two of a process are the same.</summary>
    public long Generation { get; }

    public static bool TryCreate(
        HeldIdentity identity, TrustBundle bundle, long generation, TimeProvider time, [NotNullWhen(true)] out IdentityContexts? contexts, [NotNullWhen(false)] out string? error)
    {
        contexts = null;
        using var certificate = identity.ToCertificate();
        var authorities = Encoding.ASCII.GetBytes(bundle.Roots);
        var peer = new PeerPolicy { Spiffe = true, TrustDomains = [bundle.TrustDomain] };
        var toClients = new TlsServerSettings
        {
            Hosts = [new TlsHost { Certificates = [certificate], Clients = new() { Mode = ClientCertificateMode.Required, AuthoritiesPem = authorities, Policy = peer } }],
            Protocols = ["h2"], RequireProtocol = true, MinVersion = TlsMinimum.Tls13, SessionLifetime = TimeSpan.Zero,
        };
        if (!TlsServerContext.TryCreate(toClients, new TicketKeyRing(TicketKeys.New()), time, out var server, out error))
            return false;
        var toServers = new TlsClientSettings { AuthoritiesPem = authorities, Peer = peer, Certificate = certificate, Protocols = ["h2"], RequireProtocol = true, MinVersion = TlsMinimum.Tls13 };
        if (!TlsClientContext.TryCreate(toServers, time, out var client, out error))
        {
            server.Dispose();
            return false;
        }

        contexts = new(server, client, identity.NotAfter, generation);
        return true;
    }

    /// <summary>Connections that are open, or in their handshake, live on with them.</summary>
    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
