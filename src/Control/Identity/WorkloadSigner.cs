using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Control.Identity;

/// <summary>Signs workloads' keys. The certificate has one name, the identity (X509-SVID section 2), and serves for both sides of a connection.</summary>
internal sealed class WorkloadSigner : IDisposable
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    private readonly MeshRoot _root;
    private readonly X509Certificate2 _authority;
    private readonly SigningKey _key;

    internal WorkloadSigner(MeshRoot root)
    {
        _root = root;
        _authority = X509Certificate2.CreateFromPem(root.Certificate);
        _key = SigningKey.Load(_authority, root.Key);
    }

    internal string RootId => _root.Id;

    /// <returns>The chain in PEM.</returns>
    /// <exception cref="CryptographicException">It is no PKCS #10 request, its signature is wrong, or its key is not ECDSA P-256.</exception>
    internal string Sign(string requestPem, string identity, DateTimeOffset now, RotationSettings settings)
    {
        var asked = CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256);
        using (var key = asked.PublicKey.GetECDsaPublicKey())
        {
            if (key is not { KeySize: 256 })
                throw new CryptographicException("the key must be ECDSA P-256");
        }

        // Nothing else of the request counts.
        var request = new CertificateRequest(new X500DistinguishedName(""), asked.PublicKey, _key.Hash);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity));
        request.CertificateExtensions.Add(names.Build(critical: true)); // RFC 5280 section 4.2.1.6: there is no other name
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication, ClientAuthentication], critical: false));
        if (_authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault() is { } identifier)
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(identifier));

        var notBefore = Later(now - settings.Skew, _authority.NotBefore);
        var notAfter = Earlier(now + settings.CertificateLife, _root.NotAfter);
        using var certificate = request.Create(_authority.SubjectName, _key.Generator, notBefore, notAfter, SerialNumber());
        return certificate.ExportCertificatePem() + "\n" + _root.Chain;
    }

    // RFC 5280 section 4.1.2.2: positive, at most 20 octets.
    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTime b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;
}
