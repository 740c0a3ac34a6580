using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>An administrator's own authority, as files for the Secret `cacerts`: a root, and an intermediate that signs.</summary>
/// <param name="Root">Its subject.</param>
/// <param name="Signer">Likewise of the intermediate.</param>
internal sealed record ImportedAuthority(string Root, string Signer, IReadOnlyList<string> Files)
{
    public static ImportedAuthority Create(TempDir directory)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Request("CN=company root", rootKey).CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signer = Request("CN=company mesh", key).Create(root, now.AddDays(-1), now.AddDays(50), [1, 2, 3]);
        Write("ca-cert.pem", signer.ExportCertificatePem());
        Write("ca-key.pem", key.ExportPkcs8PrivateKeyPem());
        Write("root-cert.pem", root.ExportCertificatePem());
        Write("cert-chain.pem", signer.ExportCertificatePem() + "\n" + root.ExportCertificatePem());
        return new(root.Subject, signer.Subject, [.. new[] { "ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem" }.Select(directory.File)]);

        void Write(string name, string pem) => File.WriteAllText(directory.File(name), pem + "\n");
    }

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }
}
