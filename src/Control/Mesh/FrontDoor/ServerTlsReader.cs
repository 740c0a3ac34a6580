using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor;

/// <param name="ClientSecret">With the authorities of clients.</param>
internal sealed record ServerTls(ListenerTls Settings, string? ClientSecret);

/// <summary>TLS of the front door. Null: it cannot be as it is written, and the server is left out; what was to be checked must not go unchecked.</summary>
internal static class ServerTlsReader
{
    public static ServerTls? Read(ServerTLSSettings tls, string field, string secretNamespace, Problems problems)
    {
        var before = problems.Errors;
        var names = (tls.CredentialName is { Length: > 0 } name ? [name] : tls.CredentialNames).Select(name => $"{secretNamespace}/{name}").ToList();
        Files(tls, field, problems);
        if (names.Count == 0)
            problems.Error($"{field}.credentialName", "is missing: a Secret with the certificate and its key");
        var isClosed = Unsupported(tls, field, problems);
        var (clients, secret) = Clients(tls, field, names, secretNamespace, problems);
        problems.UnsupportedIf(tls.CipherSuites.Count > 0, $"{field}.cipherSuites", "the cipher suites are those of the system's TLS library");
        problems.UnsupportedIf(tls.MaxProtocolVersion is "TLSV1_2", $"{field}.maxProtocolVersion", "TLS 1.3 is always offered");
        if (tls.MinProtocolVersion is "TLSV1_0" or "TLSV1_1" || tls.MaxProtocolVersion is "TLSV1_0" or "TLSV1_1")
            problems.Warn($"{field}.minProtocolVersion", "TLS 1.0 and 1.1 are gone (RFC 8996); 1.2 is the oldest");
        if (problems.Errors > before || isClosed)
            return null;
        var settings = new ListenerTls
        {
            Certificates = names.ToValueList(), ClientCertificates = clients,
            ClientNames = tls.SubjectAltNames.Select(Proxy.Config.Model.StringMatch.Exact).ToValueList(), MinVersion = tls.MinProtocolVersion == "TLSV1_3" ? TlsVersion.Tls13 : TlsVersion.Tls12,
        };
        return new(settings, secret);
    }

    // In Istio these are files of the gateway's own pod. The front door is the node's proxy, and whoever may write gateways would use its files, the cluster's keys among them.
    private static void Files(ServerTLSSettings tls, string field, Problems problems)
    {
        var files = tls.TlsCertificates.SelectMany((pair, i) => Files(pair.ServerCertificate, pair.PrivateKey, pair.CaCertificates, $"{field}.tlsCertificates[{i}]"));
        foreach (var (at, _) in Files(tls.ServerCertificate, tls.PrivateKey, tls.CaCertificates, field).Concat(files).Where(file => !string.IsNullOrEmpty(file.File)))
            problems.Error(at, "is a file, and the front door reads no files for those who share it, so the server is left out; use credentialName, or caCertCredentialName for the authorities of clients");
    }

    private static IEnumerable<(string At, string? File)> Files(string? chain, string? key, string? authorities, string field)
        => [($"{field}.serverCertificate", chain), ($"{field}.privateKey", key), ($"{field}.caCertificates", authorities)];

    private static bool Unsupported(ServerTLSSettings tls, string field, Problems problems)
    {
        var unchecked_ = new[] { ("verifyCertificateSpki", tls.VerifyCertificateSpki.Count > 0), ("verifyCertificateHash", tls.VerifyCertificateHash.Count > 0), ("caCrl", tls.CaCrl is not null) }.Where(check => check.Item2).ToList();
        foreach (var (name, _) in unchecked_)
            problems.Ineffective(ServerOf(field), $"{field}.{name}", "is not checked, so the server is left out; use subjectAltNames");
        if (tls.Mode is not "ISTIO_MUTUAL")
            return unchecked_.Count > 0;
        problems.Ineffective(ServerOf(field), $"{field}.mode", "ISTIO_MUTUAL is not done at the front door, so the server is left out; use MUTUAL");
        return true;
    }

    // `spec.servers[0].tls`
    private static string ServerOf(string field) => field[..field.LastIndexOf('.')];

    private static (ClientCertificates Clients, string? Secret) Clients(ServerTLSSettings tls, string field, List<string> names, string secretNamespace, Problems problems)
    {
        if (tls.Mode is not ("MUTUAL" or "OPTIONAL_MUTUAL"))
        {
            if (tls.SubjectAltNames.Count > 0)
                problems.Error($"{field}.subjectAltNames", "needs the mode MUTUAL: clients show no certificates with SIMPLE");
            return (ClientCertificates.None, null);
        }

        var clients = tls.Mode == "MUTUAL" ? ClientCertificates.Required : ClientCertificates.Optional;
        // Istio's Secret with the suffix -cacert is looked for by whoever reads Secrets.
        var secret = tls.CaCertCredentialName is { Length: > 0 } own ? $"{secretNamespace}/{own}" : names.FirstOrDefault();
        if (secret is null)
            problems.Error($"{field}.caCertCredentialName", "is missing: whose clients are good?");
        return (clients, secret);
    }
}
