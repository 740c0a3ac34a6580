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

    /// <summary>The calling thread, which must be one of <see cref="RunAsync"/>, goes into a network namespace and stays there.</summary>
    public static void EnterNetwork(int fd) => Libc.Check(Libc.setns(fd, Libc.CloneNewNet), "enter a network namespace");

    /// <summary>Runs <paramref name="work"/> on a thread that ends with it.</summary>
    public static Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                T result;
                try
                {
                    result = work();
                }
                finally
                {
                    GoHome();
                }
                done.SetResult(result);
            }
            catch (Exception e)   // carried to the caller, who awaits it
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Name = "weft-namespace" }.Start();
        return done.Task;
    }

    // Setting the result may make the pool start a thread, from this one, and a new thread is born in the namespaces of its maker: back to those of
    // the process first.
    private static void GoHome()
    {
        foreach (var name in new[] { "net", "uts", "ipc" })
        {
            var fd = Libc.Check(Libc.open("/proc/self/ns/" + name, Libc.ORdonly | Libc.OCloexec, 0), $"open the process's {name} namespace");
            try
            {
                Libc.Check(Libc.setns(fd, 0), $"go back to the process's {name} namespace");
            }
            finally
            {
                _ = Libc.close(fd);
            }
        }
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
