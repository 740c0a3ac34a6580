using Weft.Node.Interop;

namespace Weft.Node.Runtime.Cri;

/// <summary>One containerd as a process that outlives this program: started in a session of its own, and found again by its configuration file.</summary>
internal static class ContainerdProcess
{
    private static readonly Dictionary<string, string> Environment = new() { ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

    // The names of the process on its way to containerd: each program executes the next.
    private static readonly string[] Stages = ["setsid", "unshare", "sh", "containerd"];

    /// <summary>Null when none runs.</summary>
    public static int? Find(string configFile)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var pid) && Is(pid, configFile))
                return pid;
        }
        return null;
    }

    public static bool Is(int pid, string configFile)
    {
        var arguments = ReadOrEmpty($"/proc/{pid}/cmdline").Split('\0');
        return arguments.Length > 1 && Stages.Contains(Path.GetFileName(arguments[0])) && arguments.Contains(configFile);
    }

    /// <returns>The process id. It is a child of this program as long as this program lives: the caller reaps it.</returns>
    public static int Start(CriRuntimeOptions options, ContainerMachine machine)
    {
        var paths = new CriPaths(options);
        var log = Libc.Check(Libc.open(paths.Log, Libc.OWronly | Libc.OCreat | Libc.OAppend | Libc.OCloexec, 0x180), $"open {paths.Log}");
        var none = Libc.Check(Libc.open("/dev/null", Libc.ORdwr | Libc.OCloexec, 0), "open /dev/null");
        try
        {
            var hides = machine.HybridCgroups.Count > 0 && (Path.GetFileName(options.Handler) == "crun" || options.NamedHandlers.ContainsKey("crun"));
            // A terminal's Ctrl-C goes to its session: pods must not end with the window that `weft up` was typed in.
            return Child.Spawn("/usr/bin/setsid", hides
                ? ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", HideScript(machine.HybridCgroups), options.Containerd, paths.Config]
                : [options.Containerd, "--config", paths.Config], Environment, [(none, 0), (log, 1), (log, 2)]);
        }
        finally
        {
            _ = Libc.close(log);
            _ = Libc.close(none);
        }
    }

    // Only the cgroup mounts become private: all else (a pod's memory volumes, network namespaces, roots of containers) is seen on both sides,
    // so that nothing is lost or pinned when containerd starts anew in another namespace.
    private static string HideScript(IReadOnlyList<string> cgroup2) =>
        "mount --make-rprivate /sys/fs/cgroup 2>/dev/null || mount --make-rprivate /sys; "
        + string.Concat(cgroup2.Select(mount => $"umount -l '{mount}' && ")) + "exec \"$0\" --config \"$1\"";

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";   // the process has ended
        }
    }
}
