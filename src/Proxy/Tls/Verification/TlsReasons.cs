using Weft.Proxy.Tls.Native;

namespace Weft.Proxy.Tls.Verification;

/// <summary>Sentences for what libssl and its verifier report by numbers.</summary>
internal static class TlsReasons
{
    private const int AlertBase = 1000; // SSL_AD_REASON_OFFSET

    /// <param name="error">X509_V_ERR_*.</param>
    public static string OfCertificate(int error, int depth) => error switch
    {
        9 => $"{Whose(depth)} is not valid yet",
        10 => $"{Whose(depth)} has expired",
        2 or 20 or 21 => "the peer's certificate is signed by an unknown authority",
        18 or 19 => "the peer's certificate is self-signed, by no known authority",
        7 => $"the signature of {Whose(depth)} is wrong",
        22 => "the chain of the peer's certificate is too long",
        26 => $"{Whose(depth)} is not made for this use",
        24 or 79 => "the peer's certificate is signed by one that is no authority's",
        62 => "the peer's certificate is for another host name",
        64 => "the peer's certificate is for another address",
        66 or 67 => $"the key of {Whose(depth)} is too weak",
        68 => $"the signature of {Whose(depth)} is of a kind that is too weak",
        _ => $"{Whose(depth)} is not good: {OpenSsl.Text(LibCrypto.X509_verify_cert_error_string(error))}",
    };

    /// <param name="error">Of libssl's queue.</param>
    public static string OfProtocol(nuint error)
    {
        if (error == 0)
            return "the connection ended within a record";
        if (OpenSsl.Library(error) != Constants.LibSslErrors)
            return $"TLS failed: {OpenSsl.Text(LibCrypto.ERR_reason_error_string(error))}";

        return OpenSsl.Reason(error) switch
        {
            155 or 156 => "plain HTTP came where TLS was expected",
            166 or 191 or 258 or 396 => "the peer speaks no version of TLS that is allowed",
            267 => "what came is not TLS, or a version of it that is not allowed",
            193 => "the peer and this side share no cipher",
            101 or 295 or 410 => "the peer and this side share no group for the key exchange",
            118 or 297 => "the peer and this side share no kind of signature",
            199 => "the peer sent no certificate",
            235 => "the peer and this side share no protocol (ALPN)",
            281 => "a record of the peer is damaged",
            var reason when reason >= AlertBase => $"the peer refused: its alert is '{Alert(reason - AlertBase)}'",
            _ => $"the peer broke the protocol: {OpenSsl.Text(LibCrypto.ERR_reason_error_string(error))}",
        };
    }

    private static string Whose(int depth) => depth == 0 ? "the peer's certificate" : "an authority's certificate in the peer's chain";

    /// <summary>RFC 8446 section 6.</summary>
    private static string Alert(int number) => number switch
    {
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => $"{number}",
    };
}
