using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Weft.ApiServer.Tests.Webhooks;

/// <summary>How a webhook's certificate and its `caBundle` belong together.</summary>
internal enum HookTrust
{
    /// <summary>The bundle holds the root that signed it.</summary>
    Root,

    /// <summary>The same, but the certificate is for clients.</summary>
    RootForClients,

    /// <summary>The bundle holds an intermediate authority and not its root; the server shows its certificate alone.</summary>
    Intermediate,

    /// <summary>The same, and the server shows what is above it too.</summary>
    IntermediateShown,

    /// <summary>The certificate names the intermediate as its issuer, but another key signed it.</summary>
    Impostor,

    /// <summary>The server shows the intermediate without its root, and the bundle holds another authority.</summary>
    Other,
}

internal static class HookCertificates
{
    /// <returns>The server's certificate with its key, what it shows besides, and a `caBundle`.</returns>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Shown, string Bundle) Make(HookTrust trust, string name)
    {
        var root = Authority($"{name} root", null);
        var issuer = trust is HookTrust.Root or HookTrust.RootForClients ? root : Authority(name, root);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=hook", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("hook.default.svc");
        request.CertificateExtensions.Add(names.Build());
        if (trust == HookTrust.RootForClients)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var leaf = Sign(request, trust == HookTrust.Impostor ? Authority(name, root) : issuer, 3);
        using var withKey = leaf.CopyWithPrivateKey(key);
        // Kestrel wants a key that is not ephemeral on every platform.
        var certificate = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        var trusted = trust == HookTrust.Other ? Authority($"{name} other", root) : issuer;
        return (certificate, trust switch { HookTrust.IntermediateShown => [issuer, root], HookTrust.Other => [issuer], _ => [] }, Convert.ToBase64String(Encoding.ASCII.GetBytes(trusted.ExportCertificatePem())));
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? issuer)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        if (issuer is null)
            return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1));
        using var signed = Sign(request, issuer, 2);
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Sign(CertificateRequest request, X509Certificate2 issuer, byte serial) => request.Create(issuer, issuer.NotBefore, issuer.NotAfter, [1, serial]);
}
