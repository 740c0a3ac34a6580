using Weft.Proxy.Tls.Settings;
using Weft.Proxy.Tls.Verification;

namespace Weft.Proxy.Tls.Native;

/// <summary>Makes SSL_CTXs of settings. Each method answers why not, or null.</summary>
internal static unsafe class SslContext
{
    // 112 bits of security: RSA of 2048 bits, no SHA-1 in signatures. Said here, for distributions differ in their default.
    private const int SecurityLevel = 2;

    public static string? Create(bool server, TlsMinimum minimum, CipherPolicy ciphers, out nint context)
    {
        context = 0;
        if (!OpenSsl.TryInitialize(out var error))
            return error;
        LibCrypto.ERR_clear_error();
        context = LibSsl.SSL_CTX_new(server ? LibSsl.TLS_server_method() : LibSsl.TLS_client_method());
        if (context == 0)
            return $"libssl makes no context: {OpenSsl.TakeError()}";

        LibSsl.SSL_CTX_set_security_level(context, SecurityLevel);
        _ = LibSsl.SSL_CTX_set_options(context, Constants.OpNoCompression | Constants.OpNoRenegotiation | Constants.OpCipherServerPreference | Constants.OpPrioritizeChaCha);
        _ = LibSsl.SSL_CTX_ctrl(context, Constants.CtrlMode, Constants.ModeAcceptMovingWriteBuffer | Constants.ModeReleaseBuffers, 0);
        _ = LibSsl.SSL_CTX_ctrl(context, Constants.CtrlReadAhead, 1, 0); // One call of the BIO for what came, not two for each record.
        _ = LibSsl.SSL_CTX_ctrl(context, Constants.CtrlMinVersion, minimum == TlsMinimum.Tls13 ? Constants.Tls13 : Constants.Tls12, 0);
        return SetCiphers(context, ciphers);
    }

    public static string? Use(nint context, TlsCertificate certificate, out CertificateNames names)
    {
        names = new([], []);
        if (PemReader.ReadCertificates(certificate.ChainPem.Span, out var chain) is { } error)
            return $"the certificate chain is not good: {error}";
        var key = PemReader.ReadKey(certificate.KeyPem);
        var rest = LibCrypto.OPENSSL_sk_new_null();
        try
        {
            if (key == 0)
                return "the private key cannot be read: PEM without encryption is needed";
            foreach (var authority in chain.Skip(1))
                _ = LibCrypto.OPENSSL_sk_push(rest, authority);
            if (LibSsl.SSL_CTX_use_cert_and_key(context, chain[0], key, rest, 1) != 1)
                return $"certificate and key do not serve: {OpenSsl.TakeError()}";
            names = CertificateNames.Read(chain[0]) ?? names;
            return null;
        }
        finally
        {
            LibCrypto.OPENSSL_sk_free(rest);
            LibCrypto.EVP_PKEY_free(key);
            PemReader.Free(chain);
        }
    }

    /// <param name="announce">Their names go to the peer, so that it can choose among its certificates.</param>
    public static string? Trust(nint context, ReadOnlySpan<byte> pem, bool announce)
    {
        if (PemReader.ReadCertificates(pem, out var authorities) is { } error)
            return $"the bundle of authorities is not good: {error}";
        var store = LibSsl.SSL_CTX_get_cert_store(context);
        foreach (var authority in authorities)
        {
            _ = LibCrypto.X509_STORE_add_cert(store, authority);
            if (announce)
                _ = LibSsl.SSL_CTX_add_client_CA(context, authority);
        }

        _ = LibCrypto.X509_STORE_set_flags(store, Constants.FlagPartialChain);
        PemReader.Free(authorities);
        return null;
    }

    private static string? SetCiphers(nint context, CipherPolicy ciphers)
    {
        if (LibSsl.SSL_CTX_set_cipher_list(context, ciphers.Tls12) != 1)
            return $"libssl knows none of the TLS 1.2 ciphers '{ciphers.Tls12}'";
        if (LibSsl.SSL_CTX_set_ciphersuites(context, ciphers.Tls13) != 1)
            return $"libssl does not know the TLS 1.3 ciphers '{ciphers.Tls13}'";
        Span<byte> groups = stackalloc byte[ciphers.Groups.Length + 1];
        groups[^1] = 0;
        System.Text.Encoding.ASCII.GetBytes(ciphers.Groups, groups);
        fixed (byte* text = groups)
        {
            if (LibSsl.SSL_CTX_ctrl(context, Constants.CtrlGroupsList, 0, (nint)text) != 1)
                return $"libssl does not know the groups '{ciphers.Groups}'";
        }

        LibCrypto.ERR_clear_error();
        return null;
    }
}
