using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>A line of /etc/passwd, as far as it matters.</summary>
internal sealed record PasswdEntry(string Name, uint Uid, uint Gid, string Home)
{
    public static IReadOnlyList<PasswdEntry> Parse(IEnumerable<string> lines) =>
    [
        .. lines.Select(line => line.Split(':')).Where(f => f.Length >= 6 && uint.TryParse(f[2], out _) && uint.TryParse(f[3], out _))
            .Select(f => new PasswdEntry(f[0], uint.Parse(f[2]), uint.Parse(f[3]), f[5])),
    ];
}

/// <summary>As whom a process runs, and with which rights. Pure.</summary>
internal static class Identities
{
    // What a root process pod keeps: changing identities and owners, low ports, signals. Of containerd's default set, what reaches past
    // a container that shares the machine's files is left out: DAC_OVERRIDE, MKNOD, SYS_CHROOT, SETFCAP, SETPCAP, NET_RAW, AUDIT_WRITE.
    private static readonly string[] RootDefaults = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"];

    private static readonly string[] All =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
        "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <exception cref="ContainerConfigException">It would be root where the pod forbids that.</exception>
    public static ProcessIdentity User(Pod pod, Container container, IReadOnlyList<PasswdEntry> passwd)
    {
        var (mine, pods) = (container.SecurityContext, pod.Spec.SecurityContext);
        var uid = (uint?)(mine?.RunAsUser ?? pods?.RunAsUser) ?? ProcessIdentity.Nobody.Uid;
        if (uid == 0 && (mine?.RunAsNonRoot ?? pods?.RunAsNonRoot) == true)
            throw new ContainerConfigException($"container '{container.Name}' has runAsNonRoot and runAsUser 0: choose another runAsUser, or leave it out to run as nobody");
        // A user without a line in passwd gets nobody's group, not root's as in a container: here group 0 is the machine's.
        var gid = (uint?)(mine?.RunAsGroup ?? pods?.RunAsGroup) ?? passwd.FirstOrDefault(p => p.Uid == uid)?.Gid ?? ProcessIdentity.Nobody.Gid;
        var groups = (pods?.SupplementalGroups ?? []).Select(g => (uint)g).ToList();
        if (pods?.FsGroup is { } fsGroup)
            groups.Add((uint)fsGroup);
        return new(uid, gid, [.. groups.Distinct()]);
    }

    /// <param name="own">Capabilities of the agent itself, as a bit set: what it lacks it cannot give.</param>
    public static IReadOnlyList<string> Capabilities(SecurityContext? context, uint uid, ulong own)
    {
        var set = new SortedSet<string>(context?.Privileged == true ? All : uid == 0 ? RootDefaults : [], StringComparer.Ordinal);
        foreach (var name in context?.Capabilities?.Drop ?? [])
        {
            if (name.Equals("ALL", StringComparison.OrdinalIgnoreCase))
                set.Clear();
            else
                set.Remove(Full(name));
        }
        foreach (var name in context?.Capabilities?.Add ?? [])
        {
            if (name.Equals("ALL", StringComparison.OrdinalIgnoreCase))
                set.UnionWith(All);
            else
                set.Add(Full(name));
        }
        return [.. set.Where(name => Array.IndexOf(All, name) is var bit and >= 0 && (own >> bit & 1) == 1)];
    }

    private static string Full(string name)
    {
        var upper = name.ToUpperInvariant();
        return upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : "CAP_" + upper;
    }
}
