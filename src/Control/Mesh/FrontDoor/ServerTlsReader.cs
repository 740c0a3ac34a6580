using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor;

/// <param name="ClientSecret">With the authorities of clients.</param>
internal sealed record ServerTls(ListenerTls Settings, ValueList<CertificateConfig> Certificates, string? ClientSecret);

/// <summary>TLS of the front door. Null: it cannot be as it is written, and the server is left out; what was to be checked must not go unchecked.</summary>
internal static class ServerTlsReader
{
    public static ServerTls? Read(ServerTLSSettings tls, string field, string secretNamespace, Problems problems)
    {
        var before = problems.Errors;
        var names = (tls.CredentialName is { Length: > 0 } name ? [name] : tls.CredentialNames).Select(name => $"{secretNamespace}/{name}").ToList();
        var files = Files(tls, field, problems);
        if (names.Count > 0 && files.Count > 0)
            problems.Error(field, "has credentialName beside files; keep one");
        if (names.Count == 0 && files.Count == 0)
            problems.Error($"{field}.credentialName", "is missing: a Secret with the certificate, or serverCertificate and privateKey");
        var isClosed = Unsupported(tls, field, problems);
        var (clients, secret, authorities) = Clients(tls, field, names, secretNamespace, problems);
        problems.UnsupportedIf(tls.CipherSuites.Count > 0, $"{field}.cipherSuites", "the cipher suites are those of the system's TLS library");
        problems.UnsupportedIf(tls.MaxProtocolVersion is "TLSV1_2", $"{field}.maxProtocolVersion", "TLS 1.3 is always offered");
        if (tls.MinProtocolVersion is "TLSV1_0" or "TLSV1_1" || tls.MaxProtocolVersion is "TLSV1_0" or "TLSV1_1")
            problems.Warn($"{field}.minProtocolVersion", "TLS 1.0 and 1.1 are gone (RFC 8996); 1.2 is the oldest");
        if (problems.Errors > before || isClosed)
            return null;
        var settings = new ListenerTls
        {
            Certificates = names.Concat(files.Select(file => file.Name)).ToValueList(), ClientCertificates = clients, ClientAuthorities = authorities,
            ClientNames = tls.SubjectAltNames.Select(Proxy.Config.Model.StringMatch.Exact).ToValueList(), MinVersion = tls.MinProtocolVersion == "TLSV1_3" ? TlsVersion.Tls13 : TlsVersion.Tls12,
        };
        return new(settings, files.ToValueList(), secret);
    }

    private static List<CertificateConfig> Files(ServerTLSSettings tls, string field, Problems problems)
    {
        var pairs = tls.TlsCertificates.Select((pair, i) => (pair.ServerCertificate, pair.PrivateKey, Field: $"{field}.tlsCertificates[{i}]")).ToList();
        if (tls.ServerCertificate is not null || tls.PrivateKey is not null)
            pairs.Insert(0, (tls.ServerCertificate, tls.PrivateKey, field));
        var files = new List<CertificateConfig>();
        foreach (var (chain, key, at) in pairs)
        {
            if (string.IsNullOrEmpty(chain) || string.IsNullOrEmpty(key))
                problems.Error(at, "needs serverCertificate and privateKey");
            else
                files.Add(new() { Name = $"file {chain}", Chain = new() { File = chain }, Key = new() { File = key } });
        }

        return files;
    }

    private static bool Unsupported(ServerTLSSettings tls, string field, Problems problems)
    {
        var unchecked_ = new[] { ("verifyCertificateSpki", tls.VerifyCertificateSpki.Count > 0), ("verifyCertificateHash", tls.VerifyCertificateHash.Count > 0), ("caCrl", tls.CaCrl is not null) }.Where(check => check.Item2).ToList();
        foreach (var (name, _) in unchecked_)
            problems.Unsupported($"{field}.{name}", "is not checked, so the server is left out; use subjectAltNames");
        if (tls.Mode is not "ISTIO_MUTUAL")
            return unchecked_.Count > 0;
        problems.Unsupported($"{field}.mode", "ISTIO_MUTUAL is not done at the front door, so the server is left out; use MUTUAL");
        return true;
    }

    private static (ClientCertificates Clients, string? Secret, DataSource? Authorities) Clients(ServerTLSSettings tls, string field, List<string> names, string secretNamespace, Problems problems)
    {
        if (tls.Mode is not ("MUTUAL" or "OPTIONAL_MUTUAL"))
        {
            if (tls.SubjectAltNames.Count > 0)
                problems.Error($"{field}.subjectAltNames", "needs the mode MUTUAL: clients show no certificates with SIMPLE");
            return (ClientCertificates.None, null, null);
        }

        var clients = tls.Mode == "MUTUAL" ? ClientCertificates.Required : ClientCertificates.Optional;
        if (tls.CaCertificates is { Length: > 0 } file)
            return (clients, null, new() { File = file });
        // Istio's Secret with the suffix -cacert is looked for by whoever reads Secrets.
        var secret = tls.CaCertCredentialName is { Length: > 0 } own ? $"{secretNamespace}/{own}" : names.FirstOrDefault();
        if (secret is null)
            problems.Error($"{field}.caCertificates", "is missing: whose clients are good?");
        return (clients, secret, null);
    }
}
