using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Mesh;

/// <summary>Certificates as the cluster's own authority would sign them, or another one: what root of the machine could make.</summary>
internal sealed class MeshAuthority : IDisposable
{
    private readonly TempDir _directory;
    private readonly X509Certificate2 _authority;

    private MeshAuthority(TempDir directory, X509Certificate2 authority, string roots)
    {
        (_directory, _authority) = (directory, authority);
        File.WriteAllText(Roots, roots);
    }

    /// <summary>Path of the roots that the cluster's proxies show certificates of.</summary>
    public string Roots => _directory.File("roots.pem");

    /// <summary>Its subject, which its certificates name.</summary>
    public string Name => _authority.Subject;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>That of a cluster of this machine.</summary>
    public static MeshAuthority Of(WeftCluster cluster, TempDir directory)
    {
        var root = JsonNode.Parse(File.ReadAllText(Path.Combine(cluster.DataDir, "pki", "mesh", "authority.json")))!["roots"]![0]!;
        return new(directory, X509Certificate2.CreateFromPem((string)root["certificate"]!, (string)root["key"]!), (string)root["roots"]!);
    }

    /// <summary>`path.crt` and `path.key`.</summary>
    /// <param name="signedBy">Null: the cluster's authority.</param>
    public string Issue(string name, string identity, TimeSpan? from = null, TimeSpan? to = null, string usage = "1.3.6.1.5.5.7.3.2", X509Certificate2? signedBy = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var one in identity.Split(' '))
            names.AddUri(new Uri(one));
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var signer = signedBy ?? _authority;
        using var certificate = request.Create(signer.SubjectName, X509SignatureGenerator.CreateForECDsa(signer.GetECDsaPrivateKey()!), Now + (from ?? TimeSpan.FromMinutes(-5)), Now + (to ?? TimeSpan.FromHours(1)), [7, (byte)name.Length]);
        var path = _directory.File(name);
        File.WriteAllText(path + ".crt", certificate.ExportCertificatePem());
        File.WriteAllText(path + ".key", key.ExportPkcs8PrivateKeyPem());
        return path;
    }

    /// <summary>An authority of the same name with another key.</summary>
    public X509Certificate2 Impostor()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(_authority.SubjectName, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
    }

    public void Dispose() => _authority.Dispose();
}
