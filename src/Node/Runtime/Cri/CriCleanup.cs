using Weft.Node.Interop;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Runtime.Cri;

/// <summary>Takes one containerd and all it runs off the machine, without asking it: it may be dead, broken or half started. May be called again.</summary>
internal static class CriCleanup
{
    // Killed processes vanish within milliseconds; one in an uninterruptible wait may take longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>What could not be removed, in words; empty when all is gone. Images and what containers wrote stay in the data directory.</returns>
    public static async Task<IReadOnlyList<string>> RunAsync(CriRuntimeOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var paths = new CriPaths(options);
        var problems = new List<string>();
        var ids = Identities(paths);
        var sockets = ShimSockets(paths);
        var from = time.GetTimestamp();
        while (Processes(paths) is { Count: > 0 } left)
        {
            if (time.GetElapsedTime(from) > Patience)
            {
                problems.Add($"{left.Count} processes of containers do not end: {string.Join(", ", left.Order().Take(20))}");
                break;
            }
            ProcessMachine.LiftCpuLimit(paths.CgroupParent);
            foreach (var pid in left)
                _ = Libc.kill(pid, Libc.SigKill);
            await Task.Delay(TimeSpan.FromMilliseconds(10), time, cancellationToken);
        }

        Try("mounts and directories of containerd", () => DirectoryRemoval.Delete(paths.State));
        Try("sockets of containerd's shims", () =>
        {
            foreach (var socket in sockets)
                File.Delete(socket);
        });
        // Addresses, and libcni's notes of them, which it keeps in one place for the whole machine.
        Try("addresses of containers", () =>
        {
            var addresses = Path.Combine(options.Network.IpamDirectory, options.Network.Name);
            foreach (var file in Directory.Exists(addresses) ? Directory.EnumerateFiles(addresses).ToList() : [])
            {
                if (ids.Contains(FirstLine(file)))
                    File.Delete(file);
            }
            foreach (var file in Directory.Exists(CniResults) ? Directory.EnumerateFiles(CniResults).ToList() : [])
            {
                if (ids.Any(id => Path.GetFileName(file).Contains(id, StringComparison.Ordinal)) || Path.GetFileName(file).StartsWith(options.Network.Name + "-", StringComparison.Ordinal))
                    File.Delete(file);
            }
        });
        from = time.GetTimestamp();
        while (!ProcessMachine.RemoveCgroup(paths.CgroupParent))
        {
            if (time.GetElapsedTime(from) > Patience)
            {
                problems.Add($"cgroups: /sys/fs/cgroup/*{paths.CgroupParent} is still in use");
                break;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
        }
        return problems;

        void Try(string what, Action work)
        {
            try
            {
                work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{what}: {e.Message}");
            }
        }
    }

    private const string CniResults = "/var/lib/cni/results";

    // A bundle for each sandbox and container, named by its id, with the address of its shim.
    private static IEnumerable<string> Bundles(CriPaths paths)
    {
        var tasks = Path.Combine(paths.State, "io.containerd.runtime.v2.task", "k8s.io");
        return Directory.Exists(tasks) ? Directory.GetDirectories(tasks) : [];
    }

    private static HashSet<string> Identities(CriPaths paths)
    {
        var sandboxes = Path.Combine(paths.Root, "io.containerd.grpc.v1.cri", "sandboxes");
        return [.. Bundles(paths).Concat(Directory.Exists(sandboxes) ? Directory.GetDirectories(sandboxes) : []).Select(d => Path.GetFileName(d)!)];
    }

    private static List<string> ShimSockets(CriPaths paths) =>
    [
        .. Bundles(paths).Select(b => FirstLine(Path.Combine(b, "address"))).Where(a => a.StartsWith("unix:///run/containerd/s/", StringComparison.Ordinal)).Select(a => a["unix://".Length..]).Distinct(),
    ];

    /// <summary>containerd on its way or up, its shims, the runtimes and programs they run, and all in the cluster's cgroups.</summary>
    private static HashSet<int> Processes(CriPaths paths)
    {
        var pids = new HashSet<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid))
                continue;
            var inside = Read(directory + "/cgroup").Contains($":{paths.CgroupParent}/", StringComparison.Ordinal);
            if (inside || IsOurs(Read(directory + "/cmdline").Split('\0'), paths) || ContainerdProcess.Is(pid, paths.Config))
                pids.Add(pid);
        }
        return pids;
    }

    private static bool IsOurs(string[] arguments, CriPaths paths) =>
        Path.GetFileName(arguments[0]) is "containerd-shim-runc-v2" or "containerd-shim" or "crun" or "runc" && arguments.Any(a => a == paths.Socket || PathRules.IsWithin(a, paths.State));

    private static string FirstLine(string file)
    {
        var text = Read(file);
        var end = text.IndexOfAny(['\r', '\n']);
        return end < 0 ? text : text[..end];
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";   // gone meanwhile
        }
    }
}
