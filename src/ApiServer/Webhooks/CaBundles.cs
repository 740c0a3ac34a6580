using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Weft.ApiServer.Webhooks;

/// <summary>The `caBundle` of a webhook: certificates that may have signed its server's.</summary>
internal static class CaBundles
{
    /// <param name="pem">One or more PEM certificates.</param>
    /// <exception cref="System.Security.Cryptography.CryptographicException">Not PEM, or no certificate.</exception>
    public static X509Certificate2Collection Read(ReadOnlySpan<byte> pem)
    {
        var bundle = new X509Certificate2Collection();
        bundle.ImportFromPem(Encoding.UTF8.GetString(pem));
        return bundle;
    }
}
