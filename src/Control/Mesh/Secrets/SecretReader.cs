using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Api.Core;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Secrets;

/// <param name="Unit">Null: nothing of it can be used.</param>
/// <param name="Problem">Null: all is there. Never has a byte of the Secret.</param>
internal sealed record SecretReading(SecretUnit? Unit, string? Problem);

/// <summary>Secrets of kubernetes.io/tls (tls.crt, tls.key, ca.crt) and of Istio's generic form (cert, key, cacert) as a unit. Pure.</summary>
internal static class SecretReader
{
    // Chains have a few certificates of 1 to 4 KB; the machine's whole set of authorities is some 220 KB.
    private const int MaxBytes = 256 * 1024;

    /// <param name="authorities">Istio's second Secret, whose name ends with -cacert: it comes before what the first says.</param>
    public static SecretReading Read(Secret? secret, Secret? authorities, SecretNeeds needs)
    {
        if (secret is null && (authorities is null || needs.HasFlag(SecretNeeds.Certificate)))
            return new(null, "does not exist");
        var unit = new SecretUnit();
        if (needs.HasFlag(SecretNeeds.Certificate))
        {
            if (Text(secret!, "tls.crt", "cert") is not { } chain)
                return new(null, "has no certificate: tls.crt (or cert) is missing, empty or larger than 256 KB");
            if (Text(secret!, "tls.key", "key") is not { } key)
                return new(null, "has no key: tls.key (or key) is missing, empty or larger than 256 KB");
            if (Certificates(chain) is not { Length: > 0 } certificates)
                return new(null, "has no certificate in PEM at tls.crt (or cert)");
            if (!IsKeyOf(chain, key))
                return new(null, "has a key that is not the certificate's, or is none in PEM without a passphrase");
            unit = unit with { Certificate = certificates, Key = key };
        }

        if (needs.HasFlag(SecretNeeds.Authorities))
        {
            var text = (authorities is null ? null : Text(authorities, "cacert", "ca.crt")) ?? (secret is null ? null : Text(secret, "ca.crt", "cacert"));
            if (text is null)
                return new(null, "has no authorities: ca.crt (or cacert), or a Secret of the same name with -cacert behind it, is missing, empty or larger than 256 KB");
            if (Certificates(text) is not { Length: > 0 } certificates)
                return new(null, "has no certificate in PEM at ca.crt (or cacert)");
            unit = unit with { Authorities = certificates };
        }

        return new(unit, null);
    }

    private static string? Text(Secret secret, string name, string other)
    {
        var bytes = secret.Data.GetValueOrDefault(name) is { Length: > 0 } first ? first : secret.Data.GetValueOrDefault(other);
        return bytes is { Length: > 0 and <= MaxBytes } ? Encoding.UTF8.GetString(bytes) : null;
    }

    /// <summary>The certificates alone, without comments or other blocks between them; null for text that has none or a broken one.</summary>
    private static string? Certificates(string text)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
            return certificates.Count == 0 ? null : certificates.ExportCertificatePems();
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            foreach (var certificate in certificates)
                certificate.Dispose();
        }
    }

    private static bool IsKeyOf(string chain, string key)
    {
        try
        {
            using var pair = X509Certificate2.CreateFromPem(chain, key);
            return pair.HasPrivateKey;
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException or NotSupportedException)
        {
            return false; // its text may quote the key
        }
    }
}
