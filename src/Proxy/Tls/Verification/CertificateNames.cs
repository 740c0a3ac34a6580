using System.Collections.Immutable;
using System.Text;
using Weft.Proxy.Tls.Native;

namespace Weft.Proxy.Tls.Verification;

/// <summary>The alternative names of a certificate by their types: a DNS name is never taken for a URI (CVE-2022-21656).</summary>
internal sealed record CertificateNames(ImmutableArray<string> Uris, ImmutableArray<string> Dns)
{
    private static readonly CertificateNames Empty = new([], []);

    /// <returns>Null when the extension is there twice, does not parse, or a name has bytes that no name has (NUL, blanks, beyond ASCII).</returns>
    public static unsafe CertificateNames? Read(nint certificate)
    {
        int critical;
        var names = LibCrypto.X509_get_ext_d2i(certificate, Constants.NidSubjectAltName, &critical, null);
        if (names == 0)
        {
            LibCrypto.ERR_clear_error();
            return critical == -1 ? Empty : null;
        }

        try
        {
            var uris = ImmutableArray.CreateBuilder<string>();
            var dns = ImmutableArray.CreateBuilder<string>();
            for (var i = 0; i < LibCrypto.OPENSSL_sk_num(names); i++)
            {
                int type;
                var value = LibCrypto.GENERAL_NAME_get0_value(LibCrypto.OPENSSL_sk_value(names, i), &type);
                if (type is not (Constants.GeneralNameUri or Constants.GeneralNameDns))
                    continue;
                var bytes = new ReadOnlySpan<byte>((void*)LibCrypto.ASN1_STRING_get0_data(value), LibCrypto.ASN1_STRING_length(value));
                if (bytes.IsEmpty || bytes.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
                    return null;
                (type == Constants.GeneralNameUri ? uris : dns).Add(Encoding.ASCII.GetString(bytes));
            }

            return new(uris.ToImmutable(), dns.ToImmutable());
        }
        finally
        {
            LibCrypto.GENERAL_NAMES_free(names);
        }
    }
}
