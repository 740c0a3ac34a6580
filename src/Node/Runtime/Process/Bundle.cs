using System.Text.Json.Nodes;

namespace Weft.Node.Runtime.Process;

/// <summary>What the bundle needs to know beside the container's own spec.</summary>
/// <param name="Root">Where the container's root is mounted in the launcher's namespace.</param>
/// <param name="SandboxDirectory">Holds the namespaces and the shared memory of the pod.</param>
/// <param name="OwnOomScoreAdjust">Without CAP_SYS_RESOURCE a process may not go below the value of the one that starts it.</param>
/// <param name="Hidden">Directories that the pod must not look into.</param>
internal sealed record BundleContext(
    string Root, string SandboxDirectory, string TemporaryDirectory, SandboxSpec Sandbox, string CgroupPath, int OwnOomScoreAdjust,
    IReadOnlyList<string> Hidden, IReadOnlyList<string> VisibleTemporary, IReadOnlyList<string> OtherDisks);

/// <summary>Writes config.json of the OCI runtime specification (1.0.2). Pure.</summary>
internal static class Bundle
{
    // What containerd and CRI-O mask for an unprivileged container.
    private static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    ];

    private static readonly string[] ReadOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public static JsonObject Config(ContainerSpec spec, BundleContext context)
    {
        var config = new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = Process(spec, spec.Command, spec.Terminal, context.OwnOomScoreAdjust),
            ["root"] = new JsonObject { ["path"] = context.Root, ["readonly"] = spec.ReadOnlyRoot },
            ["mounts"] = MountList(spec, context),
            ["linux"] = new JsonObject
            {
                ["cgroupsPath"] = context.CgroupPath,
                ["namespaces"] = Namespaces(context),
                ["resources"] = Resources(spec),
                ["rootfsPropagation"] = "rprivate",
                ["maskedPaths"] = Strings(spec.Privileged ? context.Hidden : [.. MaskedPaths, .. context.Hidden]),
                ["readonlyPaths"] = Strings(spec.Privileged ? [] : ReadOnlyPaths),
            },
        };
        if (spec.DefaultSeccomp)
            config["linux"]!["seccomp"] = Seccomp.RuntimeDefault();
        return config;
    }

    /// <summary>The `process` part; the same for the container's first process and for an exec.</summary>
    public static JsonObject Process(ContainerSpec spec, IReadOnlyList<string> command, bool terminal, int ownOomScoreAdjust)
    {
        var capabilities = Strings(spec.Capabilities);
        var environment = new List<string>();
        foreach (var (name, value) in spec.Environment)
            environment.Add($"{name}={value}");
        if (terminal && !spec.Environment.Any(e => e.Key == "TERM"))
            environment.Add("TERM=xterm");

        return new JsonObject
        {
            ["terminal"] = terminal,
            ["user"] = new JsonObject
            {
                ["uid"] = spec.User.Uid,
                ["gid"] = spec.User.Gid,
                ["additionalGids"] = new JsonArray([.. spec.User.Groups.Select(g => (JsonNode)JsonValue.Create(g))]),
            },
            ["args"] = Strings(command),
            ["env"] = Strings(environment),
            ["cwd"] = string.IsNullOrEmpty(spec.WorkingDirectory) ? "/" : spec.WorkingDirectory,
            ["capabilities"] = new JsonObject
            {
                ["bounding"] = capabilities,
                ["effective"] = capabilities.DeepClone(),
                ["permitted"] = capabilities.DeepClone(),
                // Not inheritable, not ambient: a program of a non-root user gains nothing (CVE-2022-24769).
            },
            ["noNewPrivileges"] = spec.NoNewPrivileges,
            ["oomScoreAdj"] = Math.Max(spec.OomScoreAdjust, ownOomScoreAdjust),
        };
    }

    private static JsonArray MountList(ContainerSpec spec, BundleContext context)
    {
        var mounts = new JsonArray();
        foreach (var disk in context.OtherDisks)
            mounts.Add(Mount(disk, "bind", disk, "bind", "ro"));
        foreach (var mount in new[]
        {
            Mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
            Mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
            Mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        })
            mounts.Add(mount);
        if (context.Sandbox.HostNetwork)
            mounts.Add(Mount("/sys", "bind", "/sys", "rbind", "rnosuid", "rnoexec", "rnodev", spec.Privileged ? "rw" : "rro"));   // r..: for the mounts below it (cgroup, bpf, debug) as well
        else
            mounts.Add(Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", spec.Privileged ? "rw" : "ro"));
        mounts.Add(context.Sandbox.HostIpc
            ? Mount("/dev/shm", "bind", "/dev/shm", "rbind", "nosuid", "noexec", "nodev")
            : Mount("/dev/shm", "bind", Path.Combine(context.SandboxDirectory, "shm"), "bind", "nosuid", "noexec", "nodev"));

        // Two replicas that both write /tmp/app.sock must not meet, and a restart finds nothing of the run before.
        mounts.Add(Mount("/tmp", "bind", context.TemporaryDirectory, "bind", "nosuid", "nodev", "rw"));
        foreach (var path in context.VisibleTemporary)
            mounts.Add(Mount(path, "bind", path, "bind", "nosuid", "nodev", "ro"));

        // Parents before children, whatever order the pod lists them in.
        foreach (var mount in spec.Mounts.OrderBy(m => m.ContainerPath.Count(c => c == '/')))
            mounts.Add(Mount(mount.ContainerPath, "bind", mount.HostPath, "rbind", mount.Propagation, mount.ReadOnly ? "ro" : "rw"));
        return mounts;
    }

    private static JsonArray Namespaces(BundleContext context)
    {
        var namespaces = new JsonArray { new JsonObject { ["type"] = "mount" }, Existing("uts", "uts") };
        if (!context.Sandbox.HostPid)
            namespaces.Add(new JsonObject { ["type"] = "pid" });
        if (!context.Sandbox.HostNetwork)
            namespaces.Add(Existing("network", "net"));
        if (!context.Sandbox.HostIpc)
            namespaces.Add(Existing("ipc", "ipc"));
        return namespaces;

        JsonObject Existing(string type, string file) => new() { ["type"] = type, ["path"] = Path.Combine(context.SandboxDirectory, file) };
    }

    private static JsonObject Resources(ContainerSpec spec)
    {
        var resources = new JsonObject { ["devices"] = new JsonArray { new JsonObject { ["allow"] = spec.Privileged, ["access"] = "rwm" } } };
        var limits = spec.Limits;
        if (limits.MemoryBytes is { } memory)
            resources["memory"] = new JsonObject { ["limit"] = memory };
        if (limits.Pids is { } pids)
            resources["pids"] = new JsonObject { ["limit"] = pids };
        var cpu = new JsonObject();
        if (limits.CpuShares is { } shares)
            cpu["shares"] = shares;
        if (limits.CpuQuota is { } quota)
        {
            cpu["quota"] = quota;
            cpu["period"] = 100_000;
        }
        if (cpu.Count > 0)
            resources["cpu"] = cpu;
        return resources;
    }

    private static JsonObject Mount(string destination, string type, string source, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = source,
        ["options"] = Strings(options),
    };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)JsonValue.Create(v))]);
}
