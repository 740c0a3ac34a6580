using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>The runtime's own corner of the machine: directories, process ids, cgroups.</summary>
internal static class ProcessMachine
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public static void Prepare(ProcessPaths paths)
    {
        Directory.CreateDirectory(paths.Options.DataDir, OwnerOnly);
        Directory.CreateDirectory(paths.Options.RunDir, OwnerOnly);
        ForgetBeforeBoot(paths);
        if (!Mounts.List().Any(m => m.MountPoint == paths.Options.RunDir))
        {
            // Shared, so that what is mounted below it later also appears in the launcher's namespace.
            Mounts.Bind(paths.Options.RunDir, paths.Options.RunDir);
            Mounts.MakeShared(paths.Options.RunDir);
        }
        foreach (var directory in new[] { paths.Sandboxes, paths.Containers, paths.Exits, paths.CrunState, paths.Ipam, Path.Combine(paths.Options.DataDir, "tmp") })
            Directory.CreateDirectory(directory, OwnerOnly);
    }

    /// <summary>Takes away what <see cref="Prepare"/> made, when no sandbox is left.</summary>
    public static void Clean(ProcessPaths paths)
    {
        DirectoryRemoval.Delete(paths.Options.RunDir);
        RemoveCgroup(paths.CgroupParent);
    }

    // After a reboot no namespace, process or veth of before exists; addresses given out then would never be released.
    private static void ForgetBeforeBoot(ProcessPaths paths)
    {
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        if (File.Exists(paths.BootId) && File.ReadAllText(paths.BootId) == boot)
            return;
        DirectoryRemoval.Delete(paths.Sandboxes, paths.Containers, paths.Exits, paths.CrunState, paths.Ipam, paths.CniCache, Path.Combine(paths.Options.DataDir, "tmp"));
        File.WriteAllText(paths.BootId, boot);
    }

    /// <summary>Whether the process is the conmon of that container, and not another that got its number.</summary>
    public static bool IsConmonOf(int pid, string containerId) => pid > 0 && ReadOrEmpty($"/proc/{pid}/cmdline").Split('\0').Contains(containerId);

    /// <summary>Signals the container's first process, if it is still that process: the number may have been given to another.</summary>
    public static void Signal(ContainerRecord record, int signal)
    {
        if (record.Pid <= 0)
            return;
        var pidfd = Libc.PidfdOpen(record.Pid);
        if (pidfd < 0)
            return;
        try
        {
            if (ReadOrEmpty($"/proc/{record.Pid}/cgroup").Contains(record.Id, StringComparison.Ordinal))
                _ = Libc.PidfdSendSignal(pidfd, signal);
        }
        finally
        {
            _ = Libc.close(pidfd);
        }
    }

    /// <summary>
    /// Takes the processor limit off a cgroup and those below. A thousand killed processes that share a fifth of a core need minutes to die, and hold
    /// their cgroup all that time.
    /// </summary>
    public static void LiftCpuLimit(string path)
    {
        foreach (var (root, file, value) in new[] { ("/sys/fs/cgroup", "cpu.max", "max"), ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "-1") })
        {
            if (!Directory.Exists(root + path))
                continue;
            // From the top: a child may have no more than its parent.
            foreach (var directory in Directory.GetDirectories(root + path, "*", SearchOption.AllDirectories).Prepend(root + path).OrderBy(d => d.Length))
            {
                try
                {
                    if (File.Exists(Path.Combine(directory, file)))
                        File.WriteAllText(Path.Combine(directory, file), value);
                }
                catch (IOException)
                {
                    // It has gone meanwhile, which is what is wanted.
                }
            }
        }
    }

    /// <summary>Removes a cgroup that has no processes left, in every hierarchy (version 1) or the one (version 2).</summary>
    /// <returns>False when something still is in it.</returns>
    public static bool RemoveCgroup(string path)
    {
        var gone = true;
        const string Tree = "/sys/fs/cgroup";
        foreach (var hierarchy in File.Exists(Tree + "/cgroup.controllers") ? [Tree] : Directory.GetDirectories(Tree))
        {
            var directory = hierarchy + path;
            if (!Directory.Exists(directory))
                continue;
            foreach (var child in Directory.GetDirectories(directory, "*", SearchOption.AllDirectories).OrderByDescending(d => d.Length))
                _ = Libc.rmdir(child);
            // Only rmdir removes a cgroup (its files cannot be deleted); one in which a process still ends stays, for the next try.
            gone &= Libc.rmdir(directory) == 0;
        }
        return gone;
    }

    /// <summary>Processes in the cluster's cgroups, and its conmons: found without any record of ours.</summary>
    public static IReadOnlySet<int> ProcessesOf(ProcessPaths paths)
    {
        var pids = new HashSet<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            var inside = ReadOrEmpty(directory + "/cgroup").Contains($":{paths.CgroupParent}/", StringComparison.Ordinal);
            var arguments = ReadOrEmpty(directory + "/cmdline").Split('\0');
            if (inside || (Path.GetFileName(arguments[0]) is "conmon" or "crun" && arguments.Any(a => a.Contains(paths.CrunState, StringComparison.Ordinal) || PathRules.IsWithin(a, paths.Containers))))
                pids.Add(int.Parse(Path.GetFileName(directory)));
        }
        return pids;
    }

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";   // the process has ended
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
