using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Authentication;

/// <summary>
/// A client certificate of the cluster's authority: CN is the user, O are the groups. The TLS layer must accept any client certificate and leave the
/// judgement to this class; a certificate of someone else is a 401, not a broken handshake.
/// </summary>
public sealed class ClientCertificateAuthenticator(X509Certificate2 authority, TimeProvider time) : IAuthenticator
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // One certificate object lives as long as its connection: the chain is built once for all of its requests.
    private readonly ConditionalWeakTable<X509Certificate2, Verdict> _verdicts = [];
    private readonly Lock _judging = new();

    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken) =>
        new(context.Connection.ClientCertificate is { } certificate ? Authenticate(certificate) : null);

    internal UserInfo Authenticate(X509Certificate2 certificate)
    {
        if (!_verdicts.TryGetValue(certificate, out var verdict))
        {
            // One at a time: a certificate's extensions are decoded at their first use, and whoever reads them meanwhile may find none. The requests that
            // come at once on a new HTTP/2 connection would be judged side by side, and the connection could be refused for its whole life.
            lock (_judging)
                verdict = _verdicts.GetValue(certificate, Judge);
        }

        // The validity is looked at again for each request: a connection may outlive its certificate.
        if (verdict.User is null || time.GetUtcNow() >= verdict.NotAfter)
            throw Statuses.Unauthorized();
        return verdict.User;
    }

    private Verdict Judge(X509Certificate2 certificate)
    {
        if (!IsForClients(certificate) || !IsTrusted(certificate))
            return Verdict.Refused;
        var names = DistinguishedNames.Values(certificate.SubjectName, DistinguishedNames.CommonName);
        var groups = DistinguishedNames.Values(certificate.SubjectName, DistinguishedNames.Organization);
        if (names is not [{ Length: > 0 } name] || groups is null)
            return Verdict.Refused;

        var user = new UserInfo(name, groups)
        {
            Extra = new Dictionary<string, IReadOnlyList<string>>
            {
                ["authentication.kubernetes.io/credential-id"] = ["X509SHA256=" + Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span))],
            },
        };
        return new Verdict(user, certificate.NotAfter);
    }

    // A certificate without the extension would be good for everything: it is refused.
    private static bool IsForClients(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault() is { } usage
        && usage.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == ClientAuthentication);

    private bool IsTrusted(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        var built = chain.Build(certificate);
        foreach (var element in chain.ChainElements)
            element.Certificate.Dispose();
        return built;
    }

    private sealed record Verdict(UserInfo? User, DateTimeOffset NotAfter)
    {
        internal static readonly Verdict Refused = new(null, DateTimeOffset.MinValue);
    }
}
