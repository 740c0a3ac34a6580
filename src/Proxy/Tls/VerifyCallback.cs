using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weft.Proxy.Tls.Native;

namespace Weft.Proxy.Tls;

/// <summary>libssl hands the peer's certificate over; 1: it is good.</summary>
internal static class VerifyCallback
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int Verify(nint store, nint argument)
    {
        try
        {
            var ssl = LibCrypto.X509_STORE_CTX_get_ex_data(store, LibSsl.SSL_get_ex_data_X509_STORE_CTX_idx());
            return LibSslEngine.Of(ssl).VerifyPeer(store) ? 1 : 0;
        }
        catch (Exception)
        {
            LibCrypto.X509_STORE_CTX_set_error(store, Constants.VerifyErrorUnspecified);
            return 0; // No exception may cross native frames.
        }
    }
}
