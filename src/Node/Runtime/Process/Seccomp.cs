using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Weft.Node.Runtime.Process;

/// <summary>
/// The profile of `seccompProfile: RuntimeDefault`: everything is allowed but what reaches the kernel itself, other processes' namespaces or
/// new user namespaces. The list is of what container runtimes refuse to an unprivileged container.
/// </summary>
internal static class Seccomp
{
    private const int NotPermitted = 1, NotImplemented = 38;

    private static readonly string[] Refused =
    [
        "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
        "get_kernel_syms", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
        "mount", "mount_setattr", "move_mount", "move_pages", "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "query_module", "quotactl",
        "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "umount", "umount2", "unshare",
        "uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old", "adjtimex", "chroot",
    ];

    // CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET: clone(2).
    private static readonly uint[] NamespaceFlags = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000];

    public static JsonObject RuntimeDefault()
    {
        var rules = new JsonArray { Rule(NotPermitted, Refused) };
        foreach (var flag in NamespaceFlags)
        {
            var rule = Rule(NotPermitted, "clone");
            rule["args"] = new JsonArray { new JsonObject { ["index"] = 0, ["value"] = flag, ["valueTwo"] = flag, ["op"] = "SCMP_CMP_MASKED_EQ" } };
            rules.Add(rule);
        }
        // Its flags are behind a pointer, where a filter cannot look: "not implemented" makes the C library use clone.
        rules.Add(Rule(NotImplemented, "clone3"));
        return new JsonObject
        {
            ["defaultAction"] = "SCMP_ACT_ALLOW",
            ["architectures"] = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                ? new JsonArray("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM")
                : new JsonArray("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
            ["syscalls"] = rules,
        };
    }

    private static JsonObject Rule(int errno, params string[] names) => new()
    {
        ["names"] = new JsonArray([.. names.Select(n => (JsonNode)JsonValue.Create(n))]),
        ["action"] = "SCMP_ACT_ERRNO",
        ["errnoRet"] = errno,
    };
}
