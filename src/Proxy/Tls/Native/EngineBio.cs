using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls.Native;

/// <summary>What the BIO of an engine reads from: the span of the call under way. Native memory, so that libssl's callbacks find it without a handle.</summary>
internal unsafe struct BioState
{
    public byte* Input;
    public int Remaining;

    /// <summary>GCHandle of the engine.</summary>
    public nint Engine;
}

/// <summary>
/// A BIO without a buffer: libssl reads straight from the caller's span and writes straight into a ByteQueue. Memory BIOs copy each byte once more both ways, and
/// their buffers never shrink, so each idle connection would hold its largest flight (docs/decisions/0023).
/// </summary>
internal static unsafe class EngineBio
{
    private const int SourceSinkType = 0x0400 | 100;
    private const int ShouldRetryRead = 0x1 | 0x8;
    private const int AllRetryFlags = 0xf;
    private const int ControlFlush = 11;

    private static readonly nint Method = CreateMethod();

    public static nint Create(BioState* state)
    {
        var bio = LibCrypto.BIO_new(Method);
        if (bio == 0)
            throw new InvalidOperationException("libcrypto has no memory for a BIO");
        LibCrypto.BIO_set_data(bio, (nint)state);
        LibCrypto.BIO_set_init(bio, 1);
        return bio;
    }

    private static nint CreateMethod()
    {
        nint method;
        fixed (byte* name = "weft\0"u8)
            method = LibCrypto.BIO_meth_new(SourceSinkType, name);
        LibCrypto.BIO_meth_set_read(method, &Read);
        LibCrypto.BIO_meth_set_write(method, &Write);
        LibCrypto.BIO_meth_set_ctrl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* buffer, int length)
    {
        var state = (BioState*)LibCrypto.BIO_get_data(bio);
        LibCrypto.BIO_clear_flags(bio, AllRetryFlags);
        if (state->Remaining == 0)
        {
            LibCrypto.BIO_set_flags(bio, ShouldRetryRead);
            return -1;
        }

        var count = Math.Min(length, state->Remaining);
        Unsafe.CopyBlockUnaligned(buffer, state->Input, (uint)count);
        state->Input += count;
        state->Remaining -= count;
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* buffer, int length)
    {
        try
        {
            var state = (BioState*)LibCrypto.BIO_get_data(bio);
            LibCrypto.BIO_clear_flags(bio, AllRetryFlags);
            ((LibSslEngine)GCHandle.FromIntPtr(state->Engine).Target!).Emit(new ReadOnlySpan<byte>(buffer, length));
            return length;
        }
        catch (Exception)
        {
            return -1; // No exception may cross native frames; libssl makes an error of the connection of it.
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Control(nint bio, int command, nint number, nint pointer) => command == ControlFlush ? 1 : 0;
}
