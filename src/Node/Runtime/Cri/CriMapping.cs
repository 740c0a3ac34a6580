using System.Text.Json;
using Weft.Node.Runtime.Cri.Wire;

namespace Weft.Node.Runtime.Cri;

/// <summary>What a container's annotation keeps of its specification: enough to know it again after a restart of the agent.</summary>
internal sealed record StoredCriContainer(string PodUid, string SpecHash, string LogPath, string? TerminationMessageFile, int StopSignal);

/// <summary>Between the runtime interface's records and CRI's messages. Pure.</summary>
internal static class CriMapping
{
    public const string SandboxAnnotation = "weft.dev/sandbox", ContainerAnnotation = "weft.dev/container";
    public const string UidLabel = "io.kubernetes.pod.uid";
    private const long CpuPeriod = 100_000;

    // What container engines hide of /proc and /sys (Docker's list, which the kubelet sends too): it tells about the machine, or changes it.
    private static readonly string[] Masked =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
        "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] ReadOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public static PodSandboxConfig Sandbox(SandboxSpec spec, string cgroupParent)
    {
        var config = new PodSandboxConfig
        {
            Metadata = new() { Name = spec.Name, Uid = spec.PodUid, Namespace = spec.Namespace, Attempt = (uint)spec.Attempt },
            // Without a UTS namespace of its own there is no name to set, and containerd refuses one.
            Hostname = spec.HostNetwork ? "" : spec.Hostname,
            // Log paths are given whole (see Container).
            LogDirectory = "/",
            Linux = new()
            {
                CgroupParent = $"{cgroupParent}/pod{spec.PodUid}",
                SecurityContext = new()
                {
                    NamespaceOptions = Namespaces(spec),
                    Seccomp = new() { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
                },
            },
        };
        foreach (var (key, value) in spec.Labels)
            config.Labels[key] = value;
        config.Labels["io.kubernetes.pod.name"] = spec.Name;
        config.Labels["io.kubernetes.pod.namespace"] = spec.Namespace;
        config.Labels[UidLabel] = spec.PodUid;
        config.Annotations[SandboxAnnotation] = JsonSerializer.Serialize(spec);
        foreach (var (key, value) in spec.Sysctls)
            config.Linux.Sysctls[key] = value;
        return config;
    }

    /// <summary>A privileged container needs a sandbox that was made for it; CRI asks for it again with each container, and takes this one's word.</summary>
    public static PodSandboxConfig WithPrivilege(PodSandboxConfig sandbox, bool privileged)
    {
        var config = sandbox.Clone();
        config.Linux.SecurityContext.Privileged |= privileged;
        return config;
    }

    /// <param name="identity">The identity with all parts resolved that CRI cannot (a group without a user).</param>
    public static ContainerConfig Container(SandboxSpec sandbox, ContainerSpec spec, string image, (uint? Uid, string? UserName, uint? Gid) identity, int lowestOomScore)
    {
        var config = new ContainerConfig
        {
            Metadata = new() { Name = spec.Name, Attempt = (uint)spec.Attempt },
            Image = new() { Image = image },
            Command = { spec.Command },
            Args = { spec.Args },
            WorkingDir = spec.WorkingDirectory ?? "",
            Envs = { spec.Environment.Select(e => new KeyValue { Key = e.Key, Value = e.Value }) },
            Mounts =
            {
                spec.Mounts.Select(m => new Mount
                {
                    HostPath = m.HostPath,
                    ContainerPath = m.ContainerPath,
                    Readonly = m.ReadOnly,
                    Propagation = m.Propagation switch
                    {
                        "rshared" => MountPropagation.PropagationBidirectional,
                        "rslave" => MountPropagation.PropagationHostToContainer,
                        _ => MountPropagation.PropagationPrivate,
                    },
                }),
            },
            LogPath = spec.LogPath.TrimStart('/'),
            Stdin = spec.Stdin,
            StdinOnce = spec.StdinOnce,
            Tty = spec.Terminal,
            Linux = new()
            {
                Resources = new()
                {
                    CpuPeriod = spec.Limits.CpuQuota is null ? 0 : CpuPeriod,
                    CpuQuota = spec.Limits.CpuQuota ?? 0,
                    CpuShares = spec.Limits.CpuShares ?? 0,
                    MemoryLimitInBytes = spec.Limits.MemoryBytes ?? 0,
                    OomScoreAdj = Math.Max(spec.OomScoreAdjust, lowestOomScore),
                },
                SecurityContext = Security(sandbox, spec, identity),
            },
        };
        config.Labels["io.kubernetes.container.name"] = spec.Name;
        config.Labels["io.kubernetes.pod.name"] = sandbox.Name;
        config.Labels["io.kubernetes.pod.namespace"] = sandbox.Namespace;
        config.Labels[UidLabel] = sandbox.PodUid;
        config.Annotations[ContainerAnnotation] =
            JsonSerializer.Serialize(new StoredCriContainer(sandbox.PodUid, spec.SpecHash, spec.LogPath, spec.TerminationMessageFile, spec.StopSignal));
        return config;
    }

    private static LinuxContainerSecurityContext Security(SandboxSpec sandbox, ContainerSpec spec, (uint? Uid, string? UserName, uint? Gid) identity)
    {
        var context = new LinuxContainerSecurityContext
        {
            Privileged = spec.Privileged,
            NamespaceOptions = Namespaces(sandbox),
            RunAsUsername = identity.Uid is null ? identity.UserName ?? "" : "",
            ReadonlyRootfs = spec.ReadOnlyRoot,
            NoNewPrivs = spec.NoNewPrivileges,
            SupplementalGroups = { spec.User.Groups.Select(g => (long)g) },
            Seccomp = new()
            {
                ProfileType = spec.DefaultSeccomp && !spec.Privileged ? SecurityProfile.Types.ProfileType.RuntimeDefault : SecurityProfile.Types.ProfileType.Unconfined,
            },
        };
        if (identity.Uid is { } uid)
            context.RunAsUser = new() { Value = uid };
        if (identity.Gid is { } gid)
            context.RunAsGroup = new() { Value = gid };
        if (spec.ProcessNamespaceOf is { } target)
        {
            context.NamespaceOptions.Pid = NamespaceMode.Target;
            context.NamespaceOptions.TargetId = target;
        }
        if (!spec.Privileged)
        {
            // The whole set: everything is taken away, then these are given. CRI has the names without their prefix.
            context.Capabilities = new()
            {
                DropCapabilities = { "ALL" },
                AddCapabilities = { spec.Capabilities.Select(c => c.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? c[4..] : c) },
            };
            if (!spec.UnmaskedProc)
            {
                context.MaskedPaths.Add(Masked);
                context.ReadonlyPaths.Add(ReadOnlyPaths);
            }
        }
        return context;
    }

    private static NamespaceOption Namespaces(SandboxSpec spec) => new()
    {
        Network = spec.HostNetwork ? NamespaceMode.Node : NamespaceMode.Pod,
        Ipc = spec.HostIpc ? NamespaceMode.Node : NamespaceMode.Pod,
        Pid = spec.HostPid ? NamespaceMode.Node : spec.SharedPid ? NamespaceMode.Pod : NamespaceMode.Container,
    };

    /// <summary>Null for a sandbox that Weft did not make.</summary>
    public static SandboxInfo? Sandbox(string id, PodSandboxState state, long createdAt, IDictionary<string, string> annotations, PodSandboxNetworkStatus? network)
    {
        if (!annotations.TryGetValue(SandboxAnnotation, out var text) || Read<SandboxSpec>(text) is not { } spec)
            return null;
        List<string> ips = [];
        if (!spec.HostNetwork && network is { Ip.Length: > 0 })
            ips = [network.Ip, .. network.AdditionalIps.Select(i => i.Ip)];
        return new() { Id = id, Spec = spec, CreatedAt = Time(createdAt), Ips = ips, Ready = state == PodSandboxState.SandboxReady };
    }

    /// <summary>Null for a container that Weft did not make.</summary>
    public static ContainerInfo? Container(string sandboxId, ContainerStatus status)
    {
        if (!status.Annotations.TryGetValue(ContainerAnnotation, out var text) || Read<StoredCriContainer>(text) is not { } stored)
            return null;
        var state = status.State switch
        {
            ContainerState.ContainerCreated => RunState.Created,
            ContainerState.ContainerRunning => RunState.Running,
            _ => RunState.Exited,
        };
        var ended = state == RunState.Exited;
        return new()
        {
            Id = status.Id,
            SandboxId = sandboxId,
            PodUid = stored.PodUid,
            Name = status.Metadata.Name,
            Attempt = (int)status.Metadata.Attempt,
            SpecHash = stored.SpecHash,
            LogPath = stored.LogPath,
            State = state,
            CreatedAt = Time(status.CreatedAt),
            StartedAt = status.StartedAt > 0 ? Time(status.StartedAt) : null,
            // containerd notes the start a moment after it: a command that ends at once has ended before.
            FinishedAt = ended && status.FinishedAt > 0 ? Time(Math.Max(status.FinishedAt, status.StartedAt)) : null,
            ExitCode = ended ? status.ExitCode : 0,
            // A running container of which only a child was killed has "OOMKilled" here too: a reason is one for an end alone.
            Reason = !ended ? null : status.State == ContainerState.ContainerUnknown ? "ContainerStatusUnknown" : Reason(status),
            Message = ended && status.Message.Length > 0 ? status.Message : null,
            TerminationMessageFile = stored.TerminationMessageFile,
        };
    }

    private static string Reason(ContainerStatus status) =>
        status.Reason == "OOMKilled" && status.ExitCode == 0 ? "Completed" : status.Reason is { Length: > 0 } reason ? reason : status.ExitCode == 0 ? "Completed" : "Error";

    public static StoredCriContainer? Stored(ContainerStatus status) =>
        status.Annotations.TryGetValue(ContainerAnnotation, out var text) ? Read<StoredCriContainer>(text) : null;

    private static DateTimeOffset Time(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);

    private static T? Read<T>(string text)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
