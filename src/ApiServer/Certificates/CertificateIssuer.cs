using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.ApiServer.Certificates;

/// <summary>Makes certificates of ECDSA P-256 keys: milliseconds each, where an RSA key costs a good part of a second at start.</summary>
internal static class CertificateIssuer
{
    /// <summary>A clock that is a little behind must not refuse a new certificate (decision 12).</summary>
    internal static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    internal static X509Certificate2 CreateAuthority(string name, DateTimeOffset now, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Subject(name, []), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(now - Backdate, now + life);
    }

    internal static X509Certificate2 CreateServer(X509Certificate2 authority, IEnumerable<string> names, IEnumerable<IPAddress> addresses, DateTimeOffset now, TimeSpan life)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
            alternatives.AddDnsName(name);
        foreach (var address in addresses)
            alternatives.AddIpAddress(address);
        return Create(authority, Subject("kube-apiserver", []), ServerAuthentication, alternatives.Build(), now, life);
    }

    internal static X509Certificate2 CreateClient(X509Certificate2 authority, string name, IReadOnlyList<string> groups, DateTimeOffset now, TimeSpan life) =>
        Create(authority, Subject(name, groups), ClientAuthentication, null, now, life);

    /// <summary>Signs the key of a PKCS #10 request; everything else in it is the asker's wish and does not count.</summary>
    /// <exception cref="CryptographicException">It is none, its signature is wrong, or its key is of another kind.</exception>
    internal static X509Certificate2 SignClient(X509Certificate2 authority, string requestPem, string name, IReadOnlyList<string> groups, DateTimeOffset now, TimeSpan life)
    {
        var asked = CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256);
        using var key = asked.PublicKey.GetECDsaPublicKey();
        if (key is not { KeySize: 256 })
            throw new CryptographicException("the key must be ECDSA P-256");
        var request = new CertificateRequest(Subject(name, groups), asked.PublicKey, HashAlgorithmName.SHA256);
        return Issue(authority, request, ClientAuthentication, null, now, life);
    }

    private static X509Certificate2 Create(
        X509Certificate2 authority, X500DistinguishedName subject, Oid usage, X509Extension? alternatives, DateTimeOffset now, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(authority, new CertificateRequest(subject, key, HashAlgorithmName.SHA256), usage, alternatives, now, life);
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Issue(
        X509Certificate2 authority, CertificateRequest request, Oid usage, X509Extension? alternatives, DateTimeOffset now, TimeSpan life)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([usage], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (alternatives is not null)
            request.CertificateExtensions.Add(alternatives);

        // A leaf lives within its issuer.
        var notBefore = Later(now - Backdate, authority.NotBefore);
        var notAfter = Earlier(now + life, authority.NotAfter);
        return request.Create(authority, notBefore, notAfter, SerialNumber());
    }

    // RFC 5280 4.1.2.2: positive, at most 20 octets; 128 random bits leave no chance of a second use.
    private static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    // Written as DER and not as text: a name may hold any character, and a comma in it must not start another attribute.
    private static X500DistinguishedName Subject(string name, IReadOnlyList<string> groups)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var group in groups)
                Attribute(writer, DistinguishedNames.Organization, group);
            Attribute(writer, DistinguishedNames.CommonName, name);
        }

        return new X500DistinguishedName(writer.Encode());
    }

    private static void Attribute(AsnWriter writer, string oid, string value)
    {
        using (writer.PushSetOf())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            writer.WriteCharacterString(UniversalTagNumber.UTF8String, value);
        }
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTime b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTime b) => a < b ? a : b;
}
