using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Weft.Node.Interop;

/// <summary>The system calls .NET has no name for. Numbers are those of Linux on x86-64 and arm64 (equal for everything used here).</summary>
internal static unsafe partial class Libc
{
    public const int CloneNewNs = 0x00020000;
    public const int CloneFs = 0x00000200;
    public const int CloneNewUts = 0x04000000;
    public const int CloneNewIpc = 0x08000000;
    public const int CloneNewNet = 0x40000000;

    public const nuint MsRdonly = 1, MsNosuid = 2, MsNodev = 4, MsNoexec = 8, MsRemount = 32, MsBind = 4096, MsRec = 16384, MsPrivate = 1 << 18, MsSlave = 1 << 19, MsShared = 1 << 20;
    public const int MntDetach = 2, UmountNofollow = 8;

    public const int ORdonly = 0, OWronly = 1, ORdwr = 2, OCreat = 0x40, OExcl = 0x80, OTrunc = 0x200, OAppend = 0x400, ONonblock = 0x800, OCloexec = 0x80000, OPath = 0x200000;

    // O_DIRECTORY is one of the few flags with another number on arm64.
    public static int ODirectory => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    public static int ONofollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    public const int EpollIn = 1, EpollOut = 4, EpollErr = 8, EpollHup = 16, EpollOneshot = 1 << 30;
    public const int EpollAdd = 1, EpollDel = 2, EpollMod = 3;

    public const int Enoent = 2, Esrch = 3, Eintr = 4, Eagain = 11, Ebusy = 16, Eexist = 17, Enodev = 19, Enotdir = 20, Einval = 22, Epipe = 32, Eio = 5, Eloop = 40;

    public const int SigTerm = 15, SigKill = 9;

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct EpollEventPacked
    {
        public uint Events;
        public ulong Data;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct EpollEventPadded
    {
        public uint Events;
        public ulong Data;
    }

    [LibraryImport("libc", SetLastError = true)] public static partial int unshare(int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int setns(int fd, int type);
    [LibraryImport("libc", SetLastError = true)] public static partial int ioctl(int fd, nuint request, byte* argument);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int mount(string? source, string target, string? type, nuint flags, string? data);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int umount2(string target, int flags);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int open(string path, int flags, int mode);
    [LibraryImport("libc", SetLastError = true)] public static partial int close(int fd);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int mkfifo(string path, uint mode);
    [LibraryImport("libc", SetLastError = true)] public static partial nint read(int fd, byte* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial nint write(int fd, byte* buffer, nuint count);
    [LibraryImport("libc", SetLastError = true)] public static partial int pipe2(int* fds, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int gettid();
    [LibraryImport("libc", SetLastError = true)] public static partial int kill(int pid, int signal);
    [LibraryImport("libc", SetLastError = true)] public static partial int waitpid(int pid, int* status, int options);
    [LibraryImport("libc", SetLastError = true)] public static partial nint syscall(nint number, nint a, nint b, nint c, nint d);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_create1(int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_ctl(int epoll, int op, int fd, void* e);
    [LibraryImport("libc", SetLastError = true)] public static partial int epoll_wait(int epoll, void* events, int max, int timeout);
    [LibraryImport("libc", SetLastError = true)] public static partial int ioctl(int fd, nuint request, void* argument);
    [LibraryImport("libc", SetLastError = true)] public static partial int socket(int domain, int type, int protocol);
    [LibraryImport("libc", SetLastError = true)] public static partial int setsockopt(int fd, int level, int name, void* value, uint length);
    [LibraryImport("libc", SetLastError = true)] public static partial int sethostname(byte* name, nuint length);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int lchown(string path, uint uid, uint gid);
    [LibraryImport("libc", SetLastError = true)] public static partial int fchown(int fd, uint uid, uint gid);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] private static partial int fchownat(int directory, string path, uint uid, uint gid, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int fchmod(int fd, uint mode);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int rmdir(string path);
    [LibraryImport("libc", SetLastError = true)] public static partial nint send(int fd, byte* buffer, nuint count, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial nint recv(int fd, byte* buffer, nuint count, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int flock(int fd, int operation);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int link(string existing, string added);
    [LibraryImport("libc", SetLastError = true)] public static partial nint recvmsg(int fd, void* message, int flags);
    [LibraryImport("libc", SetLastError = true)] public static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_init(void* actions);
    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_destroy(void* actions);
    [LibraryImport("libc")] public static partial int posix_spawn_file_actions_adddup2(void* actions, int fd, int newFd);
    [LibraryImport("libc")] public static partial int posix_spawnattr_init(void* attributes);
    [LibraryImport("libc")] public static partial int posix_spawnattr_destroy(void* attributes);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setflags(void* attributes, short flags);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setsigmask(void* attributes, void* set);
    [LibraryImport("libc")] public static partial int posix_spawnattr_setsigdefault(void* attributes, void* set);
    [LibraryImport("libc")] public static partial int sigemptyset(void* set);
    [LibraryImport("libc")] public static partial int sigfillset(void* set);
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)] public static partial int posix_spawn(int* pid, string path, void* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int chmod(string path, uint mode);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int rename(string from, string to);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] public static partial int mkdirat(int directory, string path, uint mode);
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] private static partial int statx(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)] private static partial int statvfs(string path, long* buffer);

    private const nint SysPidfdOpen = 434, SysPidfdSendSignal = 424, SysOpenat2 = 437;

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>openat2 that never leaves the directory, neither by `..` nor by a link, and follows no magic link; -1 with errno.</summary>
    /// <param name="sameMount">Nor enters another mount.</param>
    public static int OpenBeneath(int directory, string path, int flags, bool sameMount = false)
    {
        const ulong OneMount = 1, NoMagicLinks = 2, Beneath = 8;
        var how = new OpenHow { Flags = (ulong)flags, Resolve = NoMagicLinks | Beneath | (sameMount ? OneMount : 0) };
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + "\0"))
            return (int)syscall(SysOpenat2, directory, (nint)name, (nint)(&how), sizeof(OpenHow));
    }

    /// <summary>The S_IFMT bits of what the path names (links followed); 0 when there is nothing.</summary>
    public static uint FileType(string path)
    {
        const int CurrentDirectory = -100, TypeMask = 1, ModeOffset = 28;
        var buffer = stackalloc byte[256];
        return statx(CurrentDirectory, path, 0, TypeMask, buffer) == 0 ? *(ushort*)(buffer + ModeOffset) & 0xF000u : 0;
    }

    /// <summary>Type, mode bits and group of what a descriptor (O_PATH too) stands for.</summary>
    public static (uint Mode, uint Gid) Describe(int descriptor)
    {
        const int EmptyPath = 0x1000, GidOffset = 24, ModeOffset = 28;
        const uint TypeModeGid = 0x1 | 0x2 | 0x10;
        var buffer = stackalloc byte[256];
        Check(statx(descriptor, "", EmptyPath, TypeModeGid, buffer), "statx");
        return (*(ushort*)(buffer + ModeOffset), *(uint*)(buffer + GidOffset));
    }

    /// <summary>What a file takes on its disk (a sparse file less than its length); 0 when it is gone.</summary>
    public static long AllocatedBytes(string path)
    {
        const int CurrentDirectory = -100, NoFollow = 0x100, BlocksOffset = 48, BlockBytes = 512;
        const uint BlocksMask = 0x400;
        var buffer = stackalloc byte[256];
        return statx(CurrentDirectory, path, NoFollow, BlocksMask, buffer) == 0 ? *(long*)(buffer + BlocksOffset) * BlockBytes : 0;
    }

    /// <summary>Size and room of the file system that a path lies on, for users without root's reserve. statvfs(3).</summary>
    public static (long Bytes, long BytesAvailable, long Inodes, long InodesAvailable) FileSystem(string path)
    {
        var fields = stackalloc long[32];
        Check(statvfs(path, fields), $"statvfs {path}");
        var fragment = fields[1];
        return (fields[2] * fragment, fields[4] * fragment, fields[5], fields[7]);
    }

    /// <summary>Of a descriptor opened with O_PATH, and without following a link.</summary>
    public static int ChangeGroup(int descriptor, uint gid)
    {
        const int EmptyPath = 0x1000;
        return fchownat(descriptor, "", uint.MaxValue, gid, EmptyPath);
    }

    /// <summary>A descriptor that becomes readable when the process ends; -1 (with errno) when there is no such process.</summary>
    public static int PidfdOpen(int pid) => (int)syscall(SysPidfdOpen, pid, 0, 0, 0);

    public static int PidfdSendSignal(int pidfd, int signal) => (int)syscall(SysPidfdSendSignal, pidfd, signal, 0, 0);

    /// <summary>The inode that a path names, 0 when there is none.</summary>
    public static ulong Inode(string path) => InodeAt(-100, path, 0);

    public static ulong Inode(int descriptor)
    {
        const int EmptyPath = 0x1000;
        return InodeAt(descriptor, "", EmptyPath);
    }

    private static ulong InodeAt(int directory, string path, int flags)
    {
        const uint InodeMask = 0x100;
        const int InodeOffset = 32;
        var buffer = stackalloc byte[256];
        return statx(directory, path, flags, InodeMask, buffer) == 0 ? *(ulong*)(buffer + InodeOffset) : 0;
    }

    public static int Errno => Marshal.GetLastPInvokeError();

    /// <exception cref="IOException">The call failed; the message names it, its subject and the system's reason.</exception>
    public static int Check(int result, string what)
    {
        if (result >= 0)
            return result;
        throw Failure(what, Errno);
    }

    public static IOException Failure(string what, int errno) => new($"{what}: {new Win32Exception(errno).Message}", errno);
}
