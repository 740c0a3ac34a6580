using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Weft.Jose;

namespace Weft.ApiServer.Certificates;

/// <param name="Directory">Where the keys live; made with mode 0700.</param>
public sealed record PkiOptions(string Directory)
{
    /// <summary>Host names by which clients reach the server, besides the service's own and `localhost`.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary>Addresses of the machine, besides loopback and the service's.</summary>
    public IReadOnlyList<IPAddress> ServerAddresses { get; init; } = [];
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>ClusterIP of the `kubernetes` service: the first address of the service range.</summary>
    public IPAddress ServiceAddress { get; init; } = IPAddress.Parse("10.96.0.1");
}

/// <summary>A client's certificate and key as PEM text, for a kubeconfig or a node.</summary>
public sealed record ClientCredentials(string CertificatePem, string KeyPem, DateTimeOffset NotAfter);

/// <summary>A key directory that cannot be used; the message says which file and what to do.</summary>
public sealed class PkiException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The cluster's keys in a directory: one authority for server and client certificates, the server's certificate, and the key that signs service
/// account tokens. Loading is idempotent: what exists and is still good is kept.
/// </summary>
public sealed class ClusterPki : IDisposable
{
    // Ten years, as kubeadm gives its authority; one year for what it signs, renewed in its last third.
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LeafLife = TimeSpan.FromDays(365);

    private readonly PkiOptions _options;
    private readonly TimeProvider _time;
    private X509Certificate2 _server;

    private ClusterPki(PkiOptions options, TimeProvider time, X509Certificate2 authority, X509Certificate2 server, SigningKey tokenKey)
    {
        (_options, _time, Authority, _server, ServiceAccountKey) = (options, time, authority, server, tokenKey);
        AuthorityPem = authority.ExportCertificatePem() + "\n";
    }

    /// <summary>The authority with its key.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>What clients must trust: `certificate-authority-data`, `ca.crt` in pods.</summary>
    public string AuthorityPem { get; }

    /// <summary>Read at each handshake, so that a renewal needs no restart.</summary>
    public X509Certificate2 ServerCertificate => Volatile.Read(ref _server);

    /// <summary>Signs service account tokens (ES256).</summary>
    public SigningKey ServiceAccountKey { get; }

    public static ClusterPki LoadOrCreate(PkiOptions options, TimeProvider time)
    {
        PkiFiles.CreateDirectory(options.Directory);
        var now = time.GetUtcNow();
        var authority = LoadAuthority(options, now);
        var server = LoadServer(options, authority, now);
        return new ClusterPki(options, time, authority, server, LoadTokenKey(options));
    }

    /// <summary>A new client certificate; its key is kept nowhere else. Groups become organizations (O) of the subject.</summary>
    public ClientCredentials IssueClient(string name, IReadOnlyList<string> groups, TimeSpan? life = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using var certificate = CertificateIssuer.CreateClient(Authority, name, groups, _time.GetUtcNow(), life ?? LeafLife);
        return Credentials(certificate);
    }

    /// <summary>A client certificate, in PEM, for a key that stays with who asks: PKCS #10 in PEM, of which the key alone counts.</summary>
    /// <exception cref="CryptographicException">It is no such request, or its key is not ECDSA P-256.</exception>
    public string SignClient(string requestPem, string name, IReadOnlyList<string> groups, TimeSpan? life = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using var certificate = CertificateIssuer.SignClient(Authority, requestPem, name, groups, _time.GetUtcNow(), life ?? LeafLife);
        return certificate.ExportCertificatePem() + "\n";
    }

    /// <summary>The client certificate kept under a file name; issued anew when it is missing, names someone else or is in the last third of its life.</summary>
    public ClientCredentials LoadOrIssueClient(string file, string name, IReadOnlyList<string> groups)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var now = _time.GetUtcNow();
        var path = Path.Combine(_options.Directory, "clients", file + ".pem");
        PkiFiles.CreateDirectory(Path.GetDirectoryName(path)!);
        using var kept = Load(path);
        var isUsable = kept is not null && IsValid(kept, now) && IssuedBy(kept, Authority) && Names(kept, name, groups);
        if (isUsable && IsFresh(kept!, now))
            return Credentials(kept!);

        using var certificate = CertificateIssuer.CreateClient(Authority, name, groups, now, LeafLife);
        try
        {
            Save(path, certificate);
        }
        catch (Exception e) when (isUsable && IsNotWritten(e))
        {
            // No room on the disk: a later start renews it.
            return Credentials(kept!);
        }

        return Credentials(certificate);
    }

    /// <summary>Renews the server's certificate in the last third of its life. True when there is a new one.</summary>
    public bool RenewIfDue()
    {
        var now = _time.GetUtcNow();
        if (IsFresh(ServerCertificate, now))
            return false;
        // The retired one is not disposed: handshakes may be using it.
        Volatile.Write(ref _server, IssueServer(_options, Authority, now));
        return true;
    }

    /// <summary>Renews what is due, until cancelled.</summary>
    public async Task KeepFreshAsync(CancellationToken cancellationToken)
    {
        // A third of a year is left when renewal begins: any interval below days will do.
        var interval = TimeSpan.FromHours(6);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                RenewIfDue();
            }
            catch (Exception e) when (IsNotWritten(e))
            {
                // No room on the disk: the certificate is good for months, and the next look tries again.
            }

            await Task.Delay(interval, _time, cancellationToken).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public void Dispose()
    {
        Authority.Dispose();
        _server.Dispose();
        ServiceAccountKey.Dispose();
    }

    private static X509Certificate2 LoadAuthority(PkiOptions options, DateTimeOffset now)
    {
        var path = Path.Combine(options.Directory, "ca.pem");
        var authority = Load(path);
        if (authority is null)
        {
            authority = CertificateIssuer.CreateAuthority("weft-ca", now, AuthorityLife);
            Save(path, authority);
        }
        else if (authority.NotAfter <= now)
        {
            throw new PkiException($"the certificate authority in '{path}' expired at {authority.NotAfter.ToUniversalTime():u}; move the directory away to start with new keys (every kubeconfig and token is then made anew)");
        }

        // The public half beside it, for people and tools.
        var publicPath = Path.Combine(options.Directory, "ca.crt");
        var pem = authority.ExportCertificatePem() + "\n";
        if (PkiFiles.Read(publicPath) != pem)
            PkiFiles.Write(publicPath, pem);
        return authority;
    }

    private static X509Certificate2 LoadServer(PkiOptions options, X509Certificate2 authority, DateTimeOffset now)
    {
        var kept = Load(ServerPath(options));
        var isUsable = kept is not null && IsValid(kept, now) && IssuedBy(kept, authority) && Covers(kept, options);
        if (isUsable && IsFresh(kept!, now))
            return kept!;
        try
        {
            var issued = IssueServer(options, authority, now);
            kept?.Dispose();
            return issued;
        }
        catch (Exception e) when (isUsable && IsNotWritten(e))
        {
            // No room on the disk: it is renewed later.
            return kept!;
        }
    }

    private static X509Certificate2 IssueServer(PkiOptions options, X509Certificate2 authority, DateTimeOffset now)
    {
        var server = CertificateIssuer.CreateServer(authority, Names(options), Addresses(options), now, LeafLife);
        Save(ServerPath(options), server);
        return server;
    }

    private static SigningKey LoadTokenKey(PkiOptions options)
    {
        var path = Path.Combine(options.Directory, "sa.key");
        var pem = PkiFiles.Read(path);
        try
        {
            if (pem is not null)
                return SigningKey.FromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unreadable(path, e);
        }

        var key = SigningKey.CreateEs256();
        PkiFiles.Write(path, key.ExportPem());
        return key;
    }

    private static string ServerPath(PkiOptions options) => Path.Combine(options.Directory, "server.pem");

    private static IReadOnlyList<string> Names(PkiOptions options) =>
    [
        .. new[]
        {
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", $"kubernetes.default.svc.{options.ClusterDomain}", "localhost",
        }.Concat(options.ServerNames).Distinct(StringComparer.OrdinalIgnoreCase),
    ];

    private static IReadOnlyList<IPAddress> Addresses(PkiOptions options) =>
        [.. new[] { options.ServiceAddress, IPAddress.Loopback, IPAddress.IPv6Loopback }.Concat(options.ServerAddresses).Distinct()];

    // A full disk, or one that takes no writes any more.
    private static bool IsNotWritten(Exception e) => e is IOException or UnauthorizedAccessException;

    private static bool IsValid(X509Certificate2 certificate, DateTimeOffset now) => certificate.NotBefore <= now && certificate.NotAfter > now;

    private static bool IsFresh(X509Certificate2 certificate, DateTimeOffset now)
    {
        var life = certificate.NotAfter - certificate.NotBefore;
        return certificate.NotBefore <= now && certificate.NotAfter - now > life / 3;
    }

    private static bool IssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        var expected = authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().First().SubjectKeyIdentifierBytes;
        var actual = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        return actual is { } identifier && identifier.Span.SequenceEqual(expected.Span);
    }

    private static bool Covers(X509Certificate2 certificate, PkiOptions options)
    {
        var alternatives = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return alternatives is not null
            && !Names(options).Except(alternatives.EnumerateDnsNames(), StringComparer.OrdinalIgnoreCase).Any()
            && !Addresses(options).Except(alternatives.EnumerateIPAddresses()).Any();
    }

    private static bool Names(X509Certificate2 certificate, string name, IReadOnlyList<string> groups) =>
        DistinguishedNames.Values(certificate.SubjectName, DistinguishedNames.CommonName) is [var common] && common == name
        && DistinguishedNames.Values(certificate.SubjectName, DistinguishedNames.Organization) is { } organizations && organizations.SequenceEqual(groups);

    private static ClientCredentials Credentials(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return new ClientCredentials(certificate.ExportCertificatePem() + "\n", key.ExportECPrivateKeyPem() + "\n", certificate.NotAfter);
    }

    private static X509Certificate2? Load(string path)
    {
        var pem = PkiFiles.Read(path);
        try
        {
            return pem is null ? null : X509Certificate2.CreateFromPem(pem, pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unreadable(path, e);
        }
    }

    private static void Save(string path, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        PkiFiles.Write(path, key.ExportECPrivateKeyPem() + "\n" + certificate.ExportCertificatePem() + "\n");
    }

    private static PkiException Unreadable(string path, Exception inner) =>
        new($"'{path}' holds no usable key; restore it from a backup, or move it away to have a new one made", inner);
}
