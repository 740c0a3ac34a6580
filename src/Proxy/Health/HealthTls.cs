using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>How checks speak TLS: by .NET's own client, as they are off the loops, and trusting what the cluster trusts.</summary>
internal static class HealthTls
{
    /// <param name="authorities">PEM; null: those of the system.</param>
    /// <param name="identities">Endpoints have identities, which their certificates are checked by.</param>
    public static SslClientAuthenticationOptions? Of(UpstreamTls? tls, string? authorities, bool identities = false)
    {
        if (tls is null)
            return null;
        var options = new SslClientAuthenticationOptions { TargetHost = tls.ServerName };
        if (tls.SkipVerification)
            options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        else if (authorities is not null)
            options.CertificateChainPolicy = Trusting(authorities);
        // Names in place of the host's: the chain is checked, and the traffic itself checks the names.
        if ((identities || !tls.Names.IsEmpty) && !tls.SkipVerification)
            options.RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;
        return options;
    }

    private static X509ChainPolicy Trusting(string authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(authorities);
        return policy;
    }
}
