using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls.Native;

/// <summary>
/// The system's libssl 3 under its own names. The name with its number is what the dynamic loader knows (and what .NET's own cryptography loads); version 3 keeps its
/// interface over all its releases. Pointers are bare: who holds them is said at each use.
/// </summary>
internal static unsafe partial class LibSsl
{
    private const string Library = "libssl.so.3";

    [LibraryImport(Library)] internal static partial int OPENSSL_init_ssl(ulong options, nint settings);

    [LibraryImport(Library)] internal static partial nint TLS_server_method();
    [LibraryImport(Library)] internal static partial nint TLS_client_method();
    [LibraryImport(Library)] internal static partial nint SSL_CTX_new(nint method);
    [LibraryImport(Library)] internal static partial void SSL_CTX_free(nint context);
    [LibraryImport(Library)] internal static partial ulong SSL_CTX_set_options(nint context, ulong options);
    [LibraryImport(Library)] internal static partial nint SSL_CTX_ctrl(nint context, int command, nint number, nint pointer);
    [LibraryImport(Library)] internal static partial void SSL_CTX_set_security_level(nint context, int level);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int SSL_CTX_set_cipher_list(nint context, string list);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial int SSL_CTX_set_ciphersuites(nint context, string list);
    [LibraryImport(Library)] internal static partial int SSL_CTX_use_cert_and_key(nint context, nint certificate, nint key, nint chain, int replace);
    [LibraryImport(Library)] internal static partial nint SSL_CTX_get_cert_store(nint context);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_default_verify_paths(nint context);
    [LibraryImport(Library)] internal static partial int SSL_CTX_add_client_CA(nint context, nint certificate);
    [LibraryImport(Library)] internal static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);
    [LibraryImport(Library)] internal static partial void SSL_CTX_set_cert_verify_callback(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback, nint argument);
    [LibraryImport(Library)] internal static partial void SSL_CTX_set_client_hello_cb(nint context, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback, nint argument);
    [LibraryImport(Library)] internal static partial void SSL_CTX_set_alpn_select_cb(nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> callback, nint argument);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_alpn_protos(nint context, byte* protocols, uint length);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_session_id_context(nint context, byte* id, uint length);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_num_tickets(nint context, nuint count);
    [LibraryImport(Library)] internal static partial nint SSL_CTX_set_timeout(nint context, nint seconds);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(nint context, delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint, nint, int, int> callback);
    [LibraryImport(Library)] internal static partial int SSL_CTX_set_session_ticket_cb(nint context, nint generate, delegate* unmanaged[Cdecl]<nint, nint, byte*, nuint, int, nint, int> decrypt, nint argument);
    [LibraryImport(Library)] internal static partial void SSL_CTX_sess_set_new_cb(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback);

    [LibraryImport(Library)] internal static partial nint SSL_new(nint context);
    [LibraryImport(Library)] internal static partial void SSL_free(nint ssl);
    [LibraryImport(Library)] internal static partial void SSL_set_bio(nint ssl, nint read, nint write);
    [LibraryImport(Library)] internal static partial void SSL_set_accept_state(nint ssl);
    [LibraryImport(Library)] internal static partial void SSL_set_connect_state(nint ssl);
    [LibraryImport(Library)] internal static partial int SSL_set_ex_data(nint ssl, int index, nint data);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial nint SSL_get_ex_data(nint ssl, int index);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial int SSL_get_ex_data_X509_STORE_CTX_idx();
    [LibraryImport(Library)] internal static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);
    [LibraryImport(Library)] internal static partial nint SSL_get0_param(nint ssl);
    [LibraryImport(Library)] internal static partial nint SSL_get_SSL_CTX(nint ssl);
    [LibraryImport(Library)] internal static partial nint SSL_set_SSL_CTX(nint ssl, nint context);
    [LibraryImport(Library)] internal static partial void SSL_set_verify(nint ssl, int mode, nint callback);
    [LibraryImport(Library)] internal static partial int SSL_set_session_id_context(nint ssl, byte* id, uint length);
    [LibraryImport(Library)] internal static partial int SSL_client_hello_get0_ext(nint ssl, uint type, byte** data, nuint* length);

    [LibraryImport(Library)] internal static partial int SSL_do_handshake(nint ssl);
    [LibraryImport(Library)] internal static partial int SSL_read_ex(nint ssl, byte* buffer, nuint length, nuint* read);
    [LibraryImport(Library)] internal static partial int SSL_write_ex(nint ssl, byte* buffer, nuint length, nuint* written);
    [LibraryImport(Library)] [SuppressGCTransition] internal static partial int SSL_has_pending(nint ssl);
    [LibraryImport(Library)] internal static partial int SSL_get_error(nint ssl, int result);
    [LibraryImport(Library)] internal static partial int SSL_shutdown(nint ssl);
    [LibraryImport(Library)] internal static partial void SSL_set_shutdown(nint ssl, int mode);

    [LibraryImport(Library)] internal static partial void SSL_get0_alpn_selected(nint ssl, byte** data, uint* length);
    [LibraryImport(Library)] internal static partial nint SSL_get0_peer_certificate(nint ssl);
    [LibraryImport(Library)] internal static partial int SSL_session_reused(nint ssl);
    [LibraryImport(Library)] internal static partial int SSL_version(nint ssl);
    [LibraryImport(Library)] internal static partial nint SSL_get_current_cipher(nint ssl);
    [LibraryImport(Library)] internal static partial nint SSL_CIPHER_get_name(nint cipher);

    [LibraryImport(Library)] internal static partial int SSL_set_session(nint ssl, nint session);
    [LibraryImport(Library)] internal static partial void SSL_SESSION_free(nint session);
    [LibraryImport(Library)] internal static partial int SSL_SESSION_is_resumable(nint session);
    [LibraryImport(Library)] internal static partial nint SSL_SESSION_get0_peer(nint session);
}
