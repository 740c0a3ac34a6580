using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Weft.Node.Interop;

/// <summary>Receives a descriptor over a unix socket (SCM_RIGHTS), and sets a terminal's size.</summary>
internal static class DescriptorPassing
{
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Vector
    {
        public void* Base;
        public nuint Length;
    }

    /// <summary>Waits until something has come, then takes the one descriptor sent with it.</summary>
    public static async Task<int> ReceiveAsync(Socket connection)
    {
        await connection.ReceiveAsync(Memory<byte>.Empty);   // completes when readable, takes nothing
        return Receive((int)connection.Handle);
    }

    private static unsafe int Receive(int socket)
    {
        const int CloseOnExec = 0x40000000, SolSocket = 1, ScmRights = 1;
        var data = stackalloc byte[256];
        var control = stackalloc byte[64];   // struct cmsghdr {size_t length; int level; int type;} and one int
        var vector = new Vector { Base = data, Length = 256 };
        var message = new Message { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = 64 };
        var n = Libc.recvmsg(socket, &message, CloseOnExec);
        if (n < 0)
            throw Libc.Failure("receive the terminal", Libc.Errno);
        if (message.ControlLength < 20 || *(int*)(control + 8) != SolSocket || *(int*)(control + 12) != ScmRights)
            throw new IOException("crun sent no terminal");
        return *(int*)(control + 16);
    }

    public static unsafe void SetTerminalSize(int terminal, ushort width, ushort height)
    {
        const nuint SetWindowSize = 0x5414;
        var size = stackalloc ushort[4] { height, width, 0, 0 };
        _ = Libc.ioctl(terminal, SetWindowSize, size);   // the terminal may be gone already
    }
}
