using System.Text;

namespace Weft.Node.Interop;

/// <summary>Work on a thread of its own that enters or makes namespaces and then dies: a pool thread must never keep them.</summary>
internal static unsafe class NamespaceThread
{
    /// <summary>Makes a network, IPC and UTS namespace and pins them as files (bind mounts) in <paramref name="directory"/>: `net`, `ipc`, `uts`.</summary>
    public static Task CreateAsync(string directory, string hostname, bool network, bool ipc) => RunAsync(() =>
    {
        var flags = Libc.CloneNewUts | (network ? Libc.CloneNewNet : 0) | (ipc ? Libc.CloneNewIpc : 0);
        Libc.Check(Libc.unshare(flags), "unshare");
        var name = Encoding.UTF8.GetBytes(hostname);
        fixed (byte* p = name)
            Libc.Check(Libc.sethostname(p, (nuint)name.Length), "sethostname");
        if (network)
        {
            LoopbackUp();
            // What containerd gives its pods: ports below 1024 and ping without capabilities, inside this namespace only.
            File.WriteAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
            File.WriteAllText("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
        }

        var own = $"/proc/self/task/{Libc.gettid()}/ns/";
        Pin("uts");
        if (network)
            Pin("net");
        if (ipc)
            Pin("ipc");
        return 0;

        void Pin(string name)
        {
            var file = Path.Combine(directory, name);
            File.WriteAllBytes(file, []);
            Mounts.Bind(own + name, file);
        }
    });

    /// <summary>Runs <paramref name="work"/> inside a network namespace. Sockets opened there stay there.</summary>
    public static Task<T> InNetworkAsync<T>(string netnsPath, Func<T> work) => RunAsync(() =>
    {
        var fd = Libc.Check(Libc.open(netnsPath, Libc.ORdonly | Libc.OCloexec, 0), $"open {netnsPath}");
        try
        {
            Libc.Check(Libc.setns(fd, Libc.CloneNewNet), $"enter {netnsPath}");
        }
        finally
        {
            _ = Libc.close(fd);
        }
        return work();
    });

    private static Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)   // carried to the caller, who awaits it
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Name = "weft-namespace" }.Start();
        return done.Task;
    }

    private static void LoopbackUp()
    {
        const int AfInet = 2, SockDgram = 2, SockCloexec = 0x80000, IfUpRunning = 0x41;
        const nuint SetFlags = 0x8914;
        var socket = Libc.Check(Libc.socket(AfInet, SockDgram | SockCloexec, 0), "socket");
        try
        {
            var request = stackalloc byte[40];   // struct ifreq: 16 bytes of name, then the flags
            new Span<byte>(request, 40).Clear();
            request[0] = (byte)'l';
            request[1] = (byte)'o';
            *(short*)(request + 16) = IfUpRunning;
            Libc.Check(Libc.ioctl(socket, SetFlags, request), "bring lo up");
        }
        finally
        {
            _ = Libc.close(socket);
        }
    }
}
