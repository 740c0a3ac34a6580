using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Testing;

namespace Weft.Control.Tests.Identity;

/// <summary>Authorities from outside, as an administrator makes them with OpenSSL: RSA, a root and an intermediate.</summary>
internal static class TestRoots
{
    internal static Dictionary<string, byte[]> Cacerts(string name = "example", DateTimeOffset? notAfter = null)
    {
        using var rootKey = RSA.Create(2048);
        using var root = Authority($"CN={name} root", rootKey).CreateSelfSigned(ManualTime.Start.AddDays(-1), ManualTime.Start.AddYears(10));
        using var key = RSA.Create(2048);
        using var certificate = Authority($"CN={name} intermediate", key).Create(root, ManualTime.Start.AddDays(-1), notAfter ?? ManualTime.Start.AddYears(2), [1, 2, 3]);
        return new()
        {
            ["ca-cert.pem"] = Bytes(certificate.ExportCertificatePem()),
            ["ca-key.pem"] = Bytes(key.ExportPkcs8PrivateKeyPem()),
            ["root-cert.pem"] = Bytes(root.ExportCertificatePem()),
            ["cert-chain.pem"] = Bytes(certificate.ExportCertificatePem() + "\n" + root.ExportCertificatePem()),
        };
    }

    internal static byte[] Bytes(string pem) => Encoding.ASCII.GetBytes(pem + "\n");

    internal static (ECDsa Key, string Pem) Request(ECCurve? curve = null)
    {
        var key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        return (key, new CertificateRequest("CN=whatever I like", key, HashAlgorithmName.SHA256).CreateSigningRequestPem());
    }

    private static CertificateRequest Authority(string name, RSA key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }
}
