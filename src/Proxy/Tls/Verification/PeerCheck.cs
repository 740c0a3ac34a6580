using Weft.Proxy.Tls.Native;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Tls.Verification;

/// <summary>What libssl's verifier does not check of a certificate whose chain is good.</summary>
internal static class PeerCheck
{
    /// <param name="clientSide">The peer is a client.</param>
    /// <returns>Why it is refused, for a log; null: it is good.</returns>
    public static string? Check(nint certificate, PeerPolicy policy, bool clientSide)
    {
        var usage = LibCrypto.X509_get_extended_key_usage(certificate);
        var needed = clientSide ? Constants.UsageClient : Constants.UsageServer;
        if (usage == Constants.UsageAbsent ? policy.RequireUsage : (usage & needed) == 0)
            return $"the peer's certificate is not made for TLS {(clientSide ? "clients" : "servers")} (extended key usage)";
        if (!policy.Spiffe && policy.Names is null)
            return null;

        if (CertificateNames.Read(certificate) is not { } names)
            return "the alternative names of the peer's certificate are malformed";
        if (policy.Spiffe && CheckSpiffe(certificate, names, policy) is { } reason)
            return reason;
        // An SVID is known by its URI alone: its DNS names are not what an authority of identities vouches for.
        if (policy.Names is { } allowed && !names.Uris.Any(n => allowed(n)) && (policy.Spiffe || !names.Dns.Any(n => allowed(n))))
            return "no name of the peer's certificate is allowed";
        return null;
    }

    private static string? CheckSpiffe(nint certificate, CertificateNames names, PeerPolicy policy)
    {
        // X509-SVID section 2 and 5.2: exactly one URI; a leaf signs no certificates.
        if (names.Uris.Length != 1)
            return $"the peer's certificate has {names.Uris.Length} URI names where exactly one is needed";
        if (SpiffeId.TrustDomain(names.Uris[0]) is not { } domain)
            return "the URI name of the peer's certificate is no SPIFFE identity of a workload";
        if (!policy.TrustDomains.IsDefaultOrEmpty && !policy.TrustDomains.Contains(domain))
            return $"the peer's trust domain '{domain}' is not allowed";
        var usage = LibCrypto.X509_get_key_usage(certificate);
        if (LibCrypto.X509_check_ca(certificate) == 1 || (usage != Constants.UsageAbsent && (usage & (Constants.KeyUsageCertSign | Constants.KeyUsageCrlSign)) != 0))
            return "the peer's certificate is an authority's, not a workload's";
        return null;
    }
}
