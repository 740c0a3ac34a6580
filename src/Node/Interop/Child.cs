using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Node.Interop;

/// <summary>
/// Starts a program from the calling thread, so that it is born in that thread's namespaces, with exactly the descriptors named.
/// (`Process.Start` cannot hand over descriptors beyond the three, and every other descriptor of this program closes on exec.)
/// </summary>
internal static class Child
{
    private const short SetSignalDefaults = 4, SetSignalMask = 8;

    /// <param name="descriptors">Own descriptor to the child's number.</param>
    /// <returns>The process id; the caller must reap it (<see cref="Reap"/>).</returns>
    public static unsafe int Spawn(string path, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyList<(int Own, int Childs)> descriptors)
    {
        // Larger than glibc's and musl's structures (80, 336 and 128 bytes in glibc 2.36).
        var actions = stackalloc byte[256];
        var attributes = stackalloc byte[512];
        var signals = stackalloc byte[256];
        Libc.posix_spawn_file_actions_init(actions);
        Libc.posix_spawnattr_init(attributes);
        var argv = ToVector([path, .. arguments]);
        var envp = ToVector([.. environment.Select(pair => $"{pair.Key}={pair.Value}")]);
        try
        {
            Libc.sigemptyset(signals);
            Libc.posix_spawnattr_setsigmask(attributes, signals);
            Libc.sigfillset(signals);
            Libc.posix_spawnattr_setsigdefault(attributes, signals);
            Libc.posix_spawnattr_setflags(attributes, SetSignalDefaults | SetSignalMask);
            foreach (var (own, childs) in descriptors)
                Libc.posix_spawn_file_actions_adddup2(actions, own, childs);

            int pid;
            var error = Libc.posix_spawn(&pid, path, actions, attributes, argv, envp);
            if (error != 0)
                throw Libc.Failure($"cannot start {path}", error);
            return pid;
        }
        finally
        {
            FreeVector(argv);
            FreeVector(envp);
            Libc.posix_spawnattr_destroy(attributes);
            Libc.posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>Blocks until the child has ended; its exit code, or 128 + signal.</summary>
    public static unsafe int Reap(int pid)
    {
        int status;
        while (Libc.waitpid(pid, &status, 0) < 0)
        {
            if (Libc.Errno != Libc.Eintr)
                throw Libc.Failure($"waitpid {pid}", Libc.Errno);
        }
        var signal = status & 0x7f;
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }

    /// <summary>Waits without a thread.</summary>
    public static async Task<int> ReapAsync(EventLoop loop, int pid, CancellationToken cancellationToken)
    {
        var pidfd = Libc.Check(Libc.PidfdOpen(pid), $"pidfd_open {pid}");
        try
        {
            await loop.WaitReadableAsync(pidfd, cancellationToken);
        }
        finally
        {
            _ = Libc.close(pidfd);
        }
        return Reap(pid);
    }

    public static unsafe (int Read, int Write) Pipe()
    {
        var fds = stackalloc int[2];
        Libc.Check(Libc.pipe2(fds, Libc.OCloexec), "pipe2");
        return (fds[0], fds[1]);
    }

    private static unsafe byte** ToVector(IReadOnlyList<string> strings)
    {
        var vector = (byte**)NativeMemory.AllocZeroed((nuint)(strings.Count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < strings.Count; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(strings[i]);
            vector[i] = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(vector[i], bytes.Length));
        }
        return vector;
    }

    private static unsafe void FreeVector(byte** vector)
    {
        for (var i = 0; vector[i] != null; i++)
            NativeMemory.Free(vector[i]);
        NativeMemory.Free(vector);
    }
}
