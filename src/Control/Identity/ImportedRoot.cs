using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Weft.Control.Identity;

/// <summary>Reads an authority from outside, in the layout of Istio's Secret `cacerts`. Complains by the name of the entry.</summary>
public static class ImportedRoot
{
    public const string CertificateKey = "ca-cert.pem", PrivateKey = "ca-key.pem", RootsKey = "root-cert.pem", ChainKey = "cert-chain.pem";

    // Four times what a chain of RSA certificates with long names has.
    private const int MaxBytes = 64 * 1024;
    private const int MaxCertificates = 10;

    /// <param name="data">Of the Secret.</param>
    /// <param name="error">What is wrong and what to do; never has a key.</param>
    public static MeshRoot? Read(IReadOnlyDictionary<string, byte[]> data, DateTimeOffset now, out string? error)
    {
        try
        {
            var root = Read(data, now);
            error = null;
            return root;
        }
        catch (InvalidDataException wrong)
        {
            error = wrong.Message;
            return null;
        }
    }

    private static MeshRoot Read(IReadOnlyDictionary<string, byte[]> data, DateTimeOffset now)
    {
        var certificatePem = Text(data, CertificateKey);
        using var certificate = Certificates(certificatePem, CertificateKey)[0];
        var keyPem = Text(data, PrivateKey);
        var roots = Certificates(Text(data, RootsKey), RootsKey);
        var between = data.ContainsKey(ChainKey) ? Certificates(Text(data, ChainKey), ChainKey) : [];
        try
        {
            CheckKey(certificate, keyPem);
            if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is not { CertificateAuthority: true }
                || certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage && (usage.KeyUsages & X509KeyUsageFlags.KeyCertSign) == 0)
                throw new InvalidDataException($"{CertificateKey}: the certificate may not sign others (basicConstraints CA:true and keyUsage keyCertSign are needed)");
            var chain = ChainOf(certificate, roots, between, now);
            var notAfter = chain.Min(element => element.NotAfter).ToUniversalTime();
            if (notAfter <= now)
                throw new InvalidDataException($"{CertificateKey}: it, or one of its chain, expired at {notAfter:u}");
            return new MeshRoot
            {
                Id = RootFactory.IdOf(certificate), Imported = true,
                Certificate = certificate.ExportCertificatePem() + "\n", Key = keyPem,
                Chain = string.Concat(chain.Where(element => !IsRoot(element)).Select(element => element.ExportCertificatePem() + "\n")),
                Roots = string.Concat(roots.Select(root => root.ExportCertificatePem() + "\n")),
                NotAfter = notAfter,
            };
        }
        finally
        {
            foreach (var each in roots.Concat(between))
                each.Dispose();
        }

        bool IsRoot(X509Certificate2 one) => roots.Any(root => root.RawDataMemory.Span.SequenceEqual(one.RawDataMemory.Span));
    }

    private static X509Certificate2[] ChainOf(X509Certificate2 certificate, X509Certificate2Collection roots, X509Certificate2Collection between, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid; // which is said with the time
        if (!chain.Build(certificate))
            throw new InvalidDataException($"{CertificateKey}: no chain leads from it through {ChainKey} to {RootsKey}: {string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation))}");
        return [.. chain.ChainElements.Select(element => element.Certificate)];
    }

    private static void CheckKey(X509Certificate2 certificate, string keyPem)
    {
        try
        {
            using var key = SigningKey.Load(certificate, keyPem);
            if (!key.Matches(certificate))
                throw new InvalidDataException($"{PrivateKey}: it is not the key of {CertificateKey}");
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            // The reason of the library may quote what it read.
            throw new InvalidDataException($"{PrivateKey}: no unencrypted RSA or ECDSA key in PEM, or not that of {CertificateKey}");
        }
    }

    private static string Text(IReadOnlyDictionary<string, byte[]> data, string key)
    {
        if (!data.TryGetValue(key, out var bytes) || bytes.Length == 0)
            throw new InvalidDataException($"{key}: it is missing (needed are {CertificateKey}, {PrivateKey}, {RootsKey}, and {ChainKey} where an intermediate signs)");
        if (bytes.Length > MaxBytes)
            throw new InvalidDataException($"{key}: it has more than {MaxBytes} bytes");
        return Encoding.UTF8.GetString(bytes);
    }

    private static X509Certificate2Collection Certificates(string pem, string key)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            found.Clear();
        }

        return found.Count is > 0 and <= MaxCertificates ? found : throw new InvalidDataException($"{key}: it must hold 1 to {MaxCertificates} certificates in PEM");
    }
}
