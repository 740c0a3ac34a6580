using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>Which of the kernel's rights a container has. Pure.</summary>
internal static class CapabilitySets
{
    // What a root process pod keeps: changing identities and owners, low ports, signals. Of containerd's default set, what reaches past
    // a container that shares the machine's files is left out: DAC_OVERRIDE, MKNOD, SYS_CHROOT, SETFCAP, SETPCAP, NET_RAW, AUDIT_WRITE.
    public static readonly IReadOnlyList<string> RootProcess = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"];

    /// <summary>What Docker and containerd give a container.</summary>
    public static readonly IReadOnlyList<string> Container =
    [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP",
        "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ];

    // In the order of their numbers in the kernel.
    private static readonly string[] All =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
        "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <param name="defaults">What the container has when it says nothing.</param>
    /// <param name="own">Capabilities of the agent itself, as a bit set: what it lacks it cannot give.</param>
    /// <exception cref="ContainerConfigException">A name that the kernel does not know.</exception>
    public static IReadOnlyList<string> Of(SecurityContext? context, IReadOnlyList<string> defaults, ulong own)
    {
        var set = new SortedSet<string>(context?.Privileged == true ? All : defaults, StringComparer.Ordinal);
        var (added, dropped) = (Names(context?.Capabilities?.Add), Names(context?.Capabilities?.Drop));
        if (dropped.Contains("ALL"))
            set.Clear();
        if (added.Contains("ALL"))
            set.UnionWith(All);
        set.ExceptWith(dropped);
        // What is named is given, also where ALL is dropped: `drop: [ALL], add: [NET_BIND_SERVICE]` is the usual form.
        set.UnionWith(added.Where(name => name != "ALL"));
        return [.. set.Where(name => (own >> Array.IndexOf(All, name) & 1) == 1)];
    }

    private static HashSet<string> Names(IReadOnlyList<string>? names) => [.. (names ?? []).Select(Full)];

    private static string Full(string name)
    {
        var upper = name.ToUpperInvariant();
        if (upper == "ALL")
            return upper;
        var full = upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper;
        return Array.IndexOf(All, full) >= 0 ? full
            : throw new ContainerConfigException($"'{name}' is no capability that Linux knows: write one like NET_BIND_SERVICE, or ALL");
    }
}
