using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Client;

/// <summary>How to reach one cluster as one user.</summary>
public sealed record ClusterAccess
{
    public required Uri Server { get; init; }
    public string Namespace { get; init; } = "default";

    /// <summary>Name to expect in the server's certificate instead of the address.</summary>
    public string? ServerName { get; init; }
    public bool SkipServerCheck { get; init; }
    public string? CertificateAuthorityPem { get; init; }
    public string? ClientCertificatePem { get; init; }
    public string? ClientKeyPem { get; init; }
    public string? Token { get; init; }

    // A record prints its members: this one holds keys.
    public override string ToString() => $"{Server} (namespace {Namespace})";

    public KubeClient Connect(TimeProvider time, string userAgent = "weft") => new(CreateHttpClient(), time, userAgent);

    public HttpClient CreateHttpClient()
    {
        // The path of a server behind a proxy (https://host/k8s/clusters/c-1) must stay: relative requests need the slash.
        var address = Server.AbsoluteUri.EndsWith('/') ? Server : new Uri(Server.AbsoluteUri + "/");
        var client = new HttpClient(CreateHandler()) { BaseAddress = address };
        if (Token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return client;
    }

    public SocketsHttpHandler CreateHandler()
    {
        var tls = new SslClientAuthenticationOptions();
        if (ServerName is not null)
            tls.TargetHost = ServerName;
        if (ClientCertificatePem is not null && ClientKeyPem is not null)
            tls.ClientCertificates = [ReadCertificate(ClientCertificatePem, ClientKeyPem)];
        if (SkipServerCheck)
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        else if (CertificateAuthorityPem is not null)
            tls.CertificateChainPolicy = TrustOnly(CertificateAuthorityPem);
        // The handler compares with the address's own name, whatever target it is told.
        if (ServerName is { } expected && !SkipServerCheck)
        {
            tls.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None && certificate is X509Certificate2 server && server.MatchesHostname(expected);
        }

        return new SocketsHttpHandler
        {
            SslOptions = tls,
            EnableMultipleHttp2Connections = true,
            // A watch is silent for minutes; a dead connection is found by pings, not by the next event that never comes (as client-go: 30 s, 15 s).
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            ConnectTimeout = TimeSpan.FromSeconds(15),
        };
    }

    private static X509ChainPolicy TrustOnly(string pem)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw new KubeconfigException("The certificate authority of the cluster is no PEM certificate.");
        }

        return policy;
    }

    private static X509Certificate2 ReadCertificate(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            throw new KubeconfigException("The client certificate and key of the user are no matching PEM pair.");
        }
    }
}
