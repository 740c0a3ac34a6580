using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Control.Identity;

/// <summary>Makes the mesh's own roots, which sign directly: a chain of one certificate, so that a handshake is short and a ticket carries all of it.</summary>
internal static class RootFactory
{
    internal static MeshRoot Create(DateTimeOffset now, RotationSettings settings)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var identifier = new X509SubjectKeyIdentifierExtension(new PublicKey(key), critical: false);
        var request = new CertificateRequest(Subject(identifier), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(identifier);
        using var certificate = request.CreateSelfSigned(now - settings.Skew, now + settings.RootLife);
        var pem = certificate.ExportCertificatePem() + "\n";
        return new MeshRoot
        {
            Id = IdOf(certificate), Certificate = pem, Key = key.ExportECPrivateKeyPem() + "\n", Roots = pem, NotAfter = certificate.NotAfter.ToUniversalTime(),
        };
    }

    internal static string IdOf(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));

    // Each has a name of its own: a verifier looks for issuers by name first.
    private static X500DistinguishedName Subject(X509SubjectKeyIdentifierExtension identifier)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(string.Create(CultureInfo.InvariantCulture, $"weft mesh {identifier.SubjectKeyIdentifier![..16].ToLowerInvariant()}"));
        builder.AddOrganizationName("weft");
        return builder.Build();
    }
}
