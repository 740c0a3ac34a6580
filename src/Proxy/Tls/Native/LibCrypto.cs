using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls.Native;

/// <summary>What of libcrypto 3 the engine needs: BIOs, errors, PEM, certificates, the cipher and MAC of tickets.</summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    [LibraryImport(Library)] [SuppressGCTransition] internal static partial void ERR_clear_error();
    [LibraryImport(Library)] internal static partial nuint ERR_get_error();
    [LibraryImport(Library)] internal static partial nuint ERR_peek_last_error();
    [LibraryImport(Library)] internal static partial nint ERR_reason_error_string(nuint error);

    [LibraryImport(Library)] internal static partial nint BIO_meth_new(int type, byte* name);
    [LibraryImport(Library)] internal static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> callback);
    [LibraryImport(Library)] internal static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> callback);
    [LibraryImport(Library)] internal static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> callback);
    [LibraryImport(Library)] internal static partial nint BIO_new(nint method);
    [LibraryImport(Library)] internal static partial int BIO_free(nint bio);
    [LibraryImport(Library)] internal static partial nint BIO_new_mem_buf(byte* data, int length);
    [LibraryImport(Library)] internal static partial void BIO_set_init(nint bio, int value);
    [LibraryImport(Library)] internal static partial void BIO_set_data(nint bio, nint data);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial nint BIO_get_data(nint bio);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial void BIO_set_flags(nint bio, int flags);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Library)] internal static partial nint PEM_read_bio_X509(nint bio, nint into, nint callback, byte* password);
    [LibraryImport(Library)] internal static partial nint PEM_read_bio_PrivateKey(nint bio, nint into, nint callback, byte* password);
    [LibraryImport(Library)] internal static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)] internal static partial void X509_free(nint certificate);
    [LibraryImport(Library)] internal static partial nint X509_get_ext_d2i(nint certificate, int nid, int* critical, int* index);
    [LibraryImport(Library)] internal static partial uint X509_get_extended_key_usage(nint certificate);
    [LibraryImport(Library)] internal static partial uint X509_get_key_usage(nint certificate);
    [LibraryImport(Library)] internal static partial int X509_check_ca(nint certificate);
    [LibraryImport(Library)] internal static partial nint X509_get0_notAfter(nint certificate);
    [LibraryImport(Library)] internal static partial int X509_cmp_time(nint time, long* than);

    [LibraryImport(Library)] internal static partial int X509_STORE_add_cert(nint store, nint certificate);
    [LibraryImport(Library)] internal static partial int X509_STORE_set_flags(nint store, nuint flags);
    [LibraryImport(Library)] internal static partial nint X509_STORE_CTX_new();
    [LibraryImport(Library)] internal static partial void X509_STORE_CTX_free(nint context);
    [LibraryImport(Library)] internal static partial int X509_STORE_CTX_init(nint context, nint store, nint certificate, nint untrusted);
    [LibraryImport(Library)] internal static partial int X509_STORE_CTX_set_default(nint context, byte* name);
    [LibraryImport(Library)] internal static partial nint X509_STORE_CTX_get_ex_data(nint context, int index);
    [LibraryImport(Library)] internal static partial nint X509_STORE_CTX_get0_param(nint context);
    [LibraryImport(Library)] internal static partial nint X509_STORE_CTX_get0_cert(nint context);
    [LibraryImport(Library)] internal static partial int X509_STORE_CTX_get_error(nint context);
    [LibraryImport(Library)] internal static partial void X509_STORE_CTX_set_error(nint context, int error);
    [LibraryImport(Library)] internal static partial int X509_STORE_CTX_get_error_depth(nint context);
    [LibraryImport(Library)] internal static partial int X509_verify_cert(nint context);
    [LibraryImport(Library)] internal static partial nint X509_verify_cert_error_string(nint error);
    [LibraryImport(Library)] internal static partial void X509_VERIFY_PARAM_set_time(nint parameters, long time);
    [LibraryImport(Library)] internal static partial void X509_VERIFY_PARAM_set_hostflags(nint parameters, uint flags);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int X509_VERIFY_PARAM_set1_host(nint parameters, string name, nuint length);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int X509_VERIFY_PARAM_set1_ip_asc(nint parameters, string address);

    [LibraryImport(Library)] internal static partial nint OPENSSL_sk_new_null();
    [LibraryImport(Library)] internal static partial int OPENSSL_sk_push(nint stack, nint item);
    [LibraryImport(Library)] internal static partial int OPENSSL_sk_num(nint stack);
    [LibraryImport(Library)] internal static partial nint OPENSSL_sk_value(nint stack, int index);
    [LibraryImport(Library)] internal static partial void OPENSSL_sk_free(nint stack);
    [LibraryImport(Library)] internal static partial void GENERAL_NAMES_free(nint names);
    [LibraryImport(Library)] internal static partial nint GENERAL_NAME_get0_value(nint name, int* type);
    [LibraryImport(Library)] internal static partial nint ASN1_STRING_get0_data(nint text);
    [LibraryImport(Library)] internal static partial int ASN1_STRING_length(nint text);

    [LibraryImport(Library)] internal static partial int RAND_bytes(byte* buffer, int count);
    [LibraryImport(Library)] internal static partial nint EVP_aes_256_cbc();
    [LibraryImport(Library)] internal static partial int EVP_EncryptInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv);
    [LibraryImport(Library)] internal static partial int EVP_DecryptInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv);
    [LibraryImport(Library)] internal static partial int EVP_MAC_CTX_set_params(nint context, Parameter* parameters);

    /// <summary>OSSL_PARAM.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Parameter
    {
        public byte* Key;
        public uint Type;
        public void* Data;
        public nuint Size;
        public nuint ReturnSize;
    }
}
