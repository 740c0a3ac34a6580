using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Weft.Proxy.Tls.Native;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Tls.Verification;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Tls;

/// <summary>TLS towards endpoints, ready to connect. Used by all loops; each has a <see cref="TlsSessionCache"/> of its own beside it.</summary>
internal sealed unsafe class TlsClientContext : TlsContext
{
    private readonly nint _context;

    private TlsClientContext(TlsClientSettings settings, TimeProvider time, nint context)
        : base(time)
        => (Settings, _context) = (settings, context);

    internal TlsClientSettings Settings { get; }

    public static bool TryCreate(
        TlsClientSettings settings, TimeProvider time, [NotNullWhen(true)] out TlsClientContext? context, [NotNullWhen(false)] out string? error)
    {
        error = SslContext.Create(server: false, settings.MinVersion, settings.Ciphers, out var native);
        if (error is null && !settings.SkipVerification)
        {
            error = settings.AuthoritiesPem is { } pem ? SslContext.Trust(native, pem.Span, announce: false)
                : LibSsl.SSL_CTX_set_default_verify_paths(native) == 1 ? null
                : "the system's authorities cannot be read";
        }

        if (error is null && settings.Certificate is { } certificate)
            error = SslContext.Use(native, certificate, out _);
        error ??= Offer(native, settings);
        if (error is not null)
        {
            LibSsl.SSL_CTX_free(native);
            context = null;
            return false;
        }

        LibSsl.SSL_CTX_set_verify(native, settings.SkipVerification ? Constants.VerifyNone : Constants.VerifyPeer, 0);
        LibSsl.SSL_CTX_set_cert_verify_callback(native, &VerifyCallback.Verify, 0);
        _ = LibSsl.SSL_CTX_ctrl(native, Constants.CtrlSessionCacheMode, Constants.SessionCacheClientNoInternal, 0);
        LibSsl.SSL_CTX_sess_set_new_cb(native, &NewSession);
        context = new(settings, time, native);
        return true;
    }

    /// <summary>The engine of a new connection, its first flight ready to be drained; the caller disposes it.</summary>
    /// <param name="name">Host name or address: asked for (a name only, RFC 6066 section 3) and, without <see cref="TlsClientSettings.Peer"/>, to be in the certificate.</param>
    /// <param name="sessions">Null: nothing is resumed.</param>
    /// <param name="endpoint">What sessions are kept by.</param>
    /// <param name="identity">The URI name (`spiffe://...`) that the certificate must have, in place of the name and of the names of <see cref="TlsClientSettings.Peer"/>; null: as those say.</param>
    /// <exception cref="ArgumentException">Nothing would be verified: neither a name nor a policy nor leave to skip it.</exception>
    public LibSslEngine Connect(BufferPool pool, string? name, TlsSessionCache? sessions = null, string endpoint = "", string? identity = null)
    {
        if (name is null && identity is null && Settings.Peer is null && !Settings.SkipVerification)
            throw new ArgumentException("a connection needs a name or a policy that the endpoint is verified by", nameof(name));
        var peer = identity is null ? Settings.Peer
            : (Settings.Peer ?? new PeerPolicy { RequireUsage = false }) with { Spiffe = Settings.Peer is { Spiffe: true } || SpiffeId.TrustDomain(identity) is not null, Names = n => n == identity };
        // One endpoint under two names is verified twice.
        return LibSslEngine.Client(this, _context, pool, name, peer, sessions, $"{endpoint} {name} {identity}");
    }

    /// <summary>Host name and what must be in the certificate, on an SSL that has not begun.</summary>
    /// <param name="peer">Verifies in place of the name.</param>
    internal void Prepare(nint ssl, string? name, PeerPolicy? peer)
    {
        if (name is null)
            return;
        var isAddress = IPAddress.TryParse(name, out _);
        if (!isAddress)
        {
            Span<byte> text = stackalloc byte[Encoding.UTF8.GetMaxByteCount(name.Length) + 1];
            text[Encoding.UTF8.GetBytes(name, text)] = 0;
            fixed (byte* pointer = text)
            {
                if (LibSsl.SSL_ctrl(ssl, Constants.CtrlHostName, 0, (nint)pointer) != 1)
                    throw new ArgumentException("not a host name", nameof(name));
            }
        }

        if (peer is not null || Settings.SkipVerification)
            return;
        var parameters = LibSsl.SSL_get0_param(ssl);
        LibCrypto.X509_VERIFY_PARAM_set_hostflags(parameters, Constants.HostNoPartialWildcards | Constants.HostNeverCheckSubject);
        var set = isAddress ? LibCrypto.X509_VERIFY_PARAM_set1_ip_asc(parameters, name) : LibCrypto.X509_VERIFY_PARAM_set1_host(parameters, name, 0);
        if (set != 1)
            throw new ArgumentException("not a host name", nameof(name));
    }

    protected override void Free() => LibSsl.SSL_CTX_free(_context);

    private static string? Offer(nint context, TlsClientSettings settings)
    {
        if (settings.Protocols.IsEmpty)
            return null;
        if (settings.Protocols.Any(p => p.Length is 0 or > 255 || !Ascii.IsValid(p)))
            return "a protocol of ALPN has 1 to 255 characters of ASCII";
        byte[] wire = [.. settings.Protocols.SelectMany(p => (byte[])[(byte)p.Length, .. Encoding.ASCII.GetBytes(p)])];
        fixed (byte* bytes = wire)
            return LibSsl.SSL_CTX_set_alpn_protos(context, bytes, (uint)wire.Length) == 0 ? null : "the protocols of ALPN are too long together"; // 0 is success here
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int NewSession(nint ssl, nint session)
    {
        try
        {
            return LibSslEngine.Of(ssl).Keep(session) ? 1 : 0;
        }
        catch (Exception)
        {
            return 0; // No exception may cross native frames; the session is libssl's then.
        }
    }
}
