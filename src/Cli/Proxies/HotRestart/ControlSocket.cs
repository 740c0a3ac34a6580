using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Cli.Proxies.HotRestart;

/// <summary>What one side says to the other, with open descriptors that are the receiver's own from then on.</summary>
public sealed record ControlMessage(string Text, IReadOnlyList<int> Descriptors);

/// <summary>
/// What a proxy and its supervisor speak over: a pair of connected sockets that keep messages apart (SOCK_SEQPACKET) and carry descriptors (SCM_RIGHTS, unix(7)). Nobody else can open it: each end
/// is born with its process.
/// </summary>
public sealed unsafe partial class ControlSocket : IDisposable
{
    /// <summary>What it is called among the sockets that a process is born with: `--socket control=DESCRIPTOR`.</summary>
    public const string Name = "control";

    /// <summary>In one message. The kernel takes 253 (SCM_MAX_FD).</summary>
    public const int MaxDescriptors = 200;

    private const int MaxText = 8 << 10;
    private const int AfUnix = 1, SockSeqPacket = 5, SockCloexec = 0x80000, SolSocket = 1, ScmRights = 1, SoSendTimeout = 21;
    private const int MsgNoSignal = 0x4000, MsgCmsgCloexec = 0x40000000, ShutReadWrite = 2, Interrupted = 4;

    // A side that does not read for so long is stuck, and must not hold the other up.
    private const int SendSeconds = 5;

    private readonly int _descriptor;
    private bool _closed;

    /// <param name="descriptor">Of one end of a <see cref="Pair"/>; the object's from here on.</param>
    public ControlSocket(int descriptor)
    {
        _descriptor = descriptor;
        var timeout = stackalloc long[2];
        timeout[0] = SendSeconds;
        timeout[1] = 0;
        _ = setsockopt(descriptor, SolSocket, SoSendTimeout, timeout, 16);
    }

    /// <returns>An end of one's own, and the descriptor of the other, to be given to a child and closed (<see cref="CloseDescriptor"/>).</returns>
    /// <exception cref="IOException">There are no descriptors left.</exception>
    public static (ControlSocket Own, int Other) Pair()
    {
        var pair = stackalloc int[2];
        if (socketpair(AfUnix, SockSeqPacket | SockCloexec, 0, pair) != 0)
            throw new IOException($"socketpair: {Marshal.GetLastPInvokeErrorMessage()}");
        return (new ControlSocket(pair[0]), pair[1]);
    }

    /// <summary>The end of whoever was started with these arguments. Null: it was not started by a supervisor that talks to it.</summary>
    public static ControlSocket? Among(IReadOnlyList<string> arguments)
    {
        const string Prefix = Name + "=";
        var pair = arguments.FirstOrDefault(argument => argument.StartsWith(Prefix, StringComparison.Ordinal));
        return pair is not null && int.TryParse(pair.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor) ? new ControlSocket(descriptor) : null;
    }

    public static void CloseDescriptor(int descriptor) => _ = close(descriptor);

    /// <remarks>Neither this nor <see cref="Shutdown"/> may run beside <see cref="Dispose"/>: the number of a closed descriptor is soon another's.</remarks>
    /// <returns>False: nobody is there to hear it, or has been too busy for <see cref="SendSeconds"/>.</returns>
    public bool Send(string text, params ReadOnlySpan<int> descriptors)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > MaxText || descriptors.Length > MaxDescriptors)
            throw new ArgumentException($"a message of {bytes.Length} bytes with {descriptors.Length} descriptors; at most {MaxText} and {MaxDescriptors}");
        if (_closed)
            return false;
        var control = stackalloc byte[ControlBytes(MaxDescriptors)];
        fixed (byte* data = bytes)
        {
            var part = new Part { Base = data, Length = (nuint)bytes.Length };
            var message = new Message { Parts = &part, PartCount = 1 };
            if (!descriptors.IsEmpty)
            {
                var header = (ControlHeader*)control;
                (header->Length, header->Level, header->Type) = ((nuint)(sizeof(ControlHeader) + (descriptors.Length * sizeof(int))), SolSocket, ScmRights);
                descriptors.CopyTo(new Span<int>(control + sizeof(ControlHeader), descriptors.Length));
                message.Control = control;
                message.ControlLength = (nuint)ControlBytes(descriptors.Length);
            }

            nint sent;
            do
                sent = sendmsg(_descriptor, &message, MsgNoSignal);
            while (sent < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            return sent >= 0;
        }
    }

    /// <summary>Waits for the next message. Null: the other end is closed, or this one.</summary>
    public ControlMessage? Receive()
    {
        var data = stackalloc byte[MaxText];
        var control = stackalloc byte[ControlBytes(MaxDescriptors)];
        var part = new Part { Base = data, Length = MaxText };
        var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = (nuint)ControlBytes(MaxDescriptors) };
        nint got;
        do
            got = recvmsg(_descriptor, &message, MsgCmsgCloexec);
        while (got < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (got <= 0)
            return null;
        var header = (ControlHeader*)control;
        var descriptors = message.ControlLength >= (nuint)sizeof(ControlHeader) && header->Level == SolSocket && header->Type == ScmRights
            ? new ReadOnlySpan<int>(control + sizeof(ControlHeader), (int)((header->Length - (nuint)sizeof(ControlHeader)) / sizeof(int))).ToArray()
            : [];
        return new ControlMessage(Encoding.UTF8.GetString(data, (int)got), descriptors);
    }

    /// <summary>Ends a <see cref="Receive"/> that waits; the other end hears of it. The descriptor goes with the object.</summary>
    public void Shutdown()
    {
        if (!_closed)
            _ = shutdown(_descriptor, ShutReadWrite);
    }

    public void Dispose()
    {
        if (!_closed)
            _ = close(_descriptor);
        _closed = true;
    }

    private static int ControlBytes(int descriptors) => sizeof(ControlHeader) + (((descriptors * sizeof(int)) + 7) & ~7);

    // struct iovec, msghdr and cmsghdr of 64-bit Linux. musl's lengths are 32 bits and padding: the same bytes, since ours are small.
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public nuint NameLength;
        public Part* Parts;
        public nuint PartCount;
        public void* Control;
        public nuint ControlLength;
        public nuint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own names
    [LibraryImport("libc", SetLastError = true)]
    private static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int descriptor, Message* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int descriptor, Message* message, int flags);

    [LibraryImport("libc")]
    private static partial int setsockopt(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc")]
    private static partial int shutdown(int descriptor, int how);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
#pragma warning restore IDE1006, SYSLIB1054
}
