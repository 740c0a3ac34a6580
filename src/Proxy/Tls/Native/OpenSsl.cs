using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls.Native;

/// <summary>The start of the library and its texts.</summary>
internal static class OpenSsl
{
    /// <summary>Does nothing after the first time.</summary>
    public static bool TryInitialize(out string? error)
    {
        try
        {
            error = LibSsl.OPENSSL_init_ssl(Constants.InitNoAtExit, 0) == 1 ? null : "libssl cannot be started: its configuration file is not readable or not valid";
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            error = "libssl.so.3 of OpenSSL 3.0 or newer is needed, and is not on this machine";
        }

        return error is null;
    }

    public static string Text(nint utf8) => Marshal.PtrToStringUTF8(utf8) ?? "unknown";

    /// <summary>The first error of the queue of this thread, in words; empties the queue.</summary>
    public static string TakeError()
    {
        var first = LibCrypto.ERR_get_error();
        LibCrypto.ERR_clear_error();
        return first == 0 ? "no reason given" : Text(LibCrypto.ERR_reason_error_string(first));
    }

    public static int Library(nuint error) => (int)(error >> 23) & 0xff;

    public static int Reason(nuint error) => (int)(error & 0x7f_ffff);
}
