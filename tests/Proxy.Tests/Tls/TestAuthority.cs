using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tests.Tls;

/// <summary>What a test wants of a certificate; the defaults are a good one for `a.example`.</summary>
internal sealed record Wanted
{
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    public const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    public string[] Dns { get; init; } = ["a.example"];
    public string[] Uris { get; init; } = [];
    public string[] Addresses { get; init; } = [];
    public string[] Usages { get; init; } = [ServerUsage, ClientUsage];
    public DateTimeOffset NotBefore { get; init; } = TestAuthority.NotBefore;
    public DateTimeOffset NotAfter { get; init; } = TestAuthority.NotAfter;
    public bool Authority { get; init; }
    public bool Rsa { get; init; }

    public static Wanted Workload(params string[] uris) => new() { Dns = [], Uris = uris };
}

/// <summary>An authority of one test, with ECDSA on P-256. Its certificates are good by the clock of the machine and by the tests' own.</summary>
internal sealed class TestAuthority : IDisposable
{
    internal static readonly DateTimeOffset NotBefore = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
    internal static readonly DateTimeOffset NotAfter = new(2045, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 _certificate;
    private readonly string _chain;
    private long _serial;

    public TestAuthority(string name = "Test authority", DateTimeOffset? notAfter = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        AsAuthority(request);
        _certificate = request.CreateSelfSigned(NotBefore, notAfter ?? NotAfter);
        _chain = "";
    }

    private TestAuthority(X509Certificate2 certificate, string chain) => (_certificate, _chain) = (certificate, chain);

    public byte[] Pem => Encoding.ASCII.GetBytes(_certificate.ExportCertificatePem() + "\n");

    public TlsCertificate Issue(Wanted? wanted = null)
    {
        var (certificate, keyPem) = Make("leaf", wanted ?? new());
        using (certificate)
            return new(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n" + _chain), Encoding.ASCII.GetBytes(keyPem));
    }

    /// <summary>For peers that are .NET's own.</summary>
    public X509Certificate2 IssueForDotNet(Wanted? wanted = null)
    {
        var (certificate, keyPem) = Make("leaf", wanted ?? new());
        using (certificate)
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem);
    }

    public TestAuthority Intermediate()
    {
        var (certificate, keyPem) = Make("Test intermediate", new() { Authority = true, Dns = [], Usages = [] });
        using (certificate)
            return new(X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem), certificate.ExportCertificatePem() + "\n" + _chain);
    }

    public void Dispose() => _certificate.Dispose();

    private (X509Certificate2 Certificate, string KeyPem) Make(string name, Wanted wanted)
    {
        using AsymmetricAlgorithm key = wanted.Rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = $"CN={name} {++_serial}";
        var request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        if (wanted.Authority)
            AsAuthority(request);
        else
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        if (wanted.Usages.Length > 0)
        {
            OidCollection usages = [];
            foreach (var usage in wanted.Usages)
                usages.Add(new Oid(usage));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, critical: false));
        }

        var names = new SubjectAlternativeNameBuilder();
        foreach (var dns in wanted.Dns)
            names.AddDnsName(dns);
        foreach (var uri in wanted.Uris)
            names.AddUri(new Uri(uri));
        foreach (var address in wanted.Addresses)
            names.AddIpAddress(System.Net.IPAddress.Parse(address));
        if (wanted.Dns.Length + wanted.Uris.Length + wanted.Addresses.Length > 0)
            request.CertificateExtensions.Add(names.Build());

        Span<byte> serial = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(serial, _serial);
        var generator = X509SignatureGenerator.CreateForECDsa(_certificate.GetECDsaPrivateKey()!);
        var certificate = request.Create(_certificate.SubjectName, generator, wanted.NotBefore, wanted.NotAfter, serial);
        return (certificate, key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static void AsAuthority(CertificateRequest request)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
    }
}
