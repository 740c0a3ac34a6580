namespace Weft.Proxy.Tls.Native;

/// <summary>Certificates and keys of PEM texts, read by libcrypto from where they lie: no copy of a key is made in managed memory.</summary>
internal static unsafe class PemReader
{
    /// <param name="certificates">X509 pointers, which the caller frees (<see cref="Free"/>).</param>
    /// <returns>Why not; null: all were read, at least one.</returns>
    public static string? ReadCertificates(ReadOnlySpan<byte> pem, out List<nint> certificates)
    {
        certificates = [];
        LibCrypto.ERR_clear_error();
        fixed (byte* data = pem)
        fixed (byte* noPassword = "\0"u8)
        {
            var bio = LibCrypto.BIO_new_mem_buf(data, pem.Length);
            while (bio != 0 && LibCrypto.PEM_read_bio_X509(bio, 0, 0, noPassword) is var certificate and not 0)
                certificates.Add(certificate);
            _ = LibCrypto.BIO_free(bio);
        }

        // The end of the text is told as an error, too: no further first line.
        var last = LibCrypto.ERR_peek_last_error();
        var atEnd = OpenSsl.Library(last) == Constants.LibPemErrors && OpenSsl.Reason(last) == Constants.PemNoStartLine;
        var error = certificates.Count > 0 && atEnd ? null
            : atEnd || last == 0 ? "there is no certificate in it (PEM)"
            : $"certificate {certificates.Count + 1} of it cannot be read: {OpenSsl.TakeError()}";
        LibCrypto.ERR_clear_error();
        if (error is not null)
            Free(certificates);
        return error;
    }

    /// <returns>An EVP_PKEY that the caller frees, or 0.</returns>
    public static nint ReadKey(ReadOnlySpan<byte> pem)
    {
        fixed (byte* data = pem)
        fixed (byte* noPassword = "\0"u8) // Without it libcrypto would ask at the terminal.
        {
            var bio = LibCrypto.BIO_new_mem_buf(data, pem.Length);
            var key = bio == 0 ? 0 : LibCrypto.PEM_read_bio_PrivateKey(bio, 0, 0, noPassword);
            _ = LibCrypto.BIO_free(bio);
            LibCrypto.ERR_clear_error(); // What it says about the text of a key belongs in no log.
            return key;
        }
    }

    public static void Free(List<nint> certificates)
    {
        foreach (var certificate in certificates)
            LibCrypto.X509_free(certificate);
        certificates.Clear();
    }
}
