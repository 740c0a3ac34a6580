using System.Collections;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Cli.Supervision;

/// <summary>
/// A process that is born with exactly the descriptors named. `Process.Start` can hand over none beyond the three, and a descriptor made
/// inheritable for one child would go to every other child that is started in the same moment.
/// </summary>
internal static partial class ChildProcess
{
    private const int FirstDescriptor = 3;
    private const int DuplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC, fcntl(2)
    private const int Interrupted = 4;             // EINTR
    private const int BrokenPipe = 13;             // SIGPIPE
    private const int KillSignal = 9;              // SIGKILL
    private const short SetSignalDefaults = 4, SetSignalMask = 8;

    // Above every number that a child gets, so that no duplicate overwrites one that is still to be duplicated.
    private const int ParkedDescriptors = 256;

    /// <returns>The process id; it must be reaped (<see cref="WaitAsync"/>).</returns>
    /// <exception cref="Win32Exception">The program cannot be started.</exception>
    internal static int Start(ChildSpec spec, IReadOnlyList<HeldSocket> sockets) => Start(spec, [.. sockets.Select(socket => (socket.Name, (int)socket.Socket.Handle))]);

    /// <inheritdoc cref="Start(ChildSpec, IReadOnlyList{HeldSocket})"/>
    internal static unsafe int Start(ChildSpec spec, IReadOnlyList<(string Name, int Descriptor)> sockets)
    {
        // Larger than glibc's and musl's structures (80, 336 and 128 bytes in glibc 2.36).
        var actions = stackalloc byte[256];
        var attributes = stackalloc byte[512];
        var signals = stackalloc byte[256];
        posix_spawn_file_actions_init(actions);
        posix_spawnattr_init(attributes);
        var arguments = ToVector([spec.Program, .. spec.Arguments, .. sockets.SelectMany((socket, i) => new[] { "--socket", FormattableString.Invariant($"{socket.Name}={FirstDescriptor + i}") })]);
        var environment = ToVector([.. EnvironmentOf(spec).Select(pair => $"{pair.Key}={pair.Value}")]);
        var parked = new List<int>();
        try
        {
            // .NET ignores SIGPIPE and blocks nothing; a child starts as from a shell. What the supervisor's own parent ignores stays ignored.
            sigemptyset(signals);
            posix_spawnattr_setsigmask(attributes, signals);
            sigaddset(signals, BrokenPipe);
            posix_spawnattr_setsigdefault(attributes, signals);
            posix_spawnattr_setflags(attributes, SetSignalDefaults | SetSignalMask);
            for (var i = 0; i < sockets.Count; i++)
            {
                var duplicate = fcntl(sockets[i].Descriptor, DuplicateCloseOnExec, ParkedDescriptors);
                if (duplicate < 0)
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                parked.Add(duplicate);
                posix_spawn_file_actions_adddup2(actions, duplicate, FirstDescriptor + i);
            }

            int pid;
            var error = posix_spawn(&pid, spec.Program, actions, attributes, arguments, environment);
            return error == 0 ? pid : throw new Win32Exception(error);
        }
        finally
        {
            foreach (var duplicate in parked)
                _ = close(duplicate);
            FreeVector(arguments);
            FreeVector(environment);
            posix_spawnattr_destroy(attributes);
            posix_spawn_file_actions_destroy(actions);
        }
    }

    /// <summary>At once. The process must not have been reaped.</summary>
    internal static void Kill(int pid) => _ = kill(pid, KillSignal);

    /// <summary>Ends with the process: its exit code, or 128 + signal.</summary>
    internal static Task<int> WaitAsync(int pid)
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A thread for each child: there are a handful, and waitpid on its own thread needs neither a SIGCHLD handler nor a poll.
        new Thread(() => ended.SetResult(Reap(pid)), maxStackSize: 128 * 1024) { IsBackground = true, Name = "reap-" + pid }.Start();
        return ended.Task;
    }

    private static unsafe int Reap(int pid)
    {
        int status;
        while (waitpid(pid, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                return -1; // reaped by someone else: its code is lost, not its end
        }

        var signal = status & 0x7f;
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }

    private static Dictionary<string, string> EnvironmentOf(ChildSpec spec)
    {
        var all = new Dictionary<string, string>();
        foreach (DictionaryEntry own in System.Environment.GetEnvironmentVariables())
            all[(string)own.Key] = (string?)own.Value ?? "";
        foreach (var (name, value) in spec.Environment)
            all[name] = value;
        return all;
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

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own names
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int posix_spawn(int* pid, string path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawn_file_actions_adddup2(void* actions, int own, int childs);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setsigmask(void* attributes, void* signals);

    [LibraryImport("libc")]
    private static unsafe partial int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport("libc")]
    private static unsafe partial int sigemptyset(void* signals);

    [LibraryImport("libc")]
    private static unsafe partial int sigaddset(void* signals, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
#pragma warning restore IDE1006, SYSLIB1054
}
