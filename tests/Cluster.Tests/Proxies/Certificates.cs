using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>An authority of one test, and what it signs, as PEM files.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly TempDir _directory;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private byte _serial = 1;

    public Certificates(TempDir directory)
    {
        _directory = directory;
        var request = new CertificateRequest("CN=authority of the test", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _authority = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public string Authority => _directory.File("ca.pem");

    /// <summary>`name.crt` and `name.key`; returns their path without the ending.</summary>
    /// <param name="names">Host names, or an identity that begins with `spiffe://`.</param>
    public string Issue(string name, params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var one in names)
        {
            if (one.StartsWith("spiffe://", StringComparison.Ordinal))
                alternative.AddUri(new Uri(one));
            else
                alternative.AddDnsName(one);
        }

        request.CertificateExtensions.Add(alternative.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using var certificate = request.Create(_authority, Now.AddDays(-1), Now.AddHours(12), [_serial++]);
        var path = _directory.File(name);
        File.WriteAllText(path + ".crt", certificate.ExportCertificatePem());
        File.WriteAllText(path + ".key", key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    public static X509Certificate2 Load(string path)
    {
        using var pem = X509Certificate2.CreateFromPemFile(path + ".crt", path + ".key");
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }
}
