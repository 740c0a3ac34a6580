using System.Collections.Concurrent;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// A thread in a mount namespace of its own, from which conmon and crun are started. There the roots of containers are mounted, and the cgroup2
/// tree of a hybrid machine is hidden (crun refuses to work beside it). Nothing mounted there reaches the host. The thread only mounts and
/// spawns; nobody waits on it for the end of a program.
/// </summary>
internal sealed class Launcher : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];   // bounded by the starts in flight, which the runtime limits
    private Thread? _thread;

    private Launcher() { }

    /// <exception cref="IOException">A mount or namespace was refused.</exception>
    public static async Task<Launcher> StartAsync()
    {
        var launcher = new Launcher();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        launcher._thread = new Thread(() =>
        {
            try
            {
                Enter();
                entered.SetResult();
            }
            catch (Exception e)   // carried to the caller, who awaits it
            {
                entered.SetException(e);
                return;
            }
            foreach (var work in launcher._work.GetConsumingEnumerable())
                work();
        })
        { IsBackground = true, Name = "weft-launch" };
        launcher._thread.Start();
        await entered.Task;
        return launcher;
    }

    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)   // carried to the caller, who awaits it
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    public Task RunAsync(Action work) => RunAsync(() =>
    {
        work();
        return true;
    });

    private static void Enter()
    {
        var mounts = Mounts.List();
        Libc.Check(Libc.unshare(Libc.CloneNewNs), "unshare the mount namespace");
        // Slave: a tmpfs the agent later mounts under its (shared) run directory arrives here; nothing goes the other way.
        Libc.Check(Libc.mount(null, "/", null, Libc.MsSlave | Libc.MsRec, null), "make mounts slaves");
        foreach (var mount in mounts.Where(m => m.FileSystem == "cgroup2" && m.MountPoint != "/sys/fs/cgroup"))
            Mounts.Unmount(mount.MountPoint);
    }

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread?.Join();
        _work.Dispose();
    }
}
