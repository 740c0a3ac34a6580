using System.Globalization;
using System.Security.Cryptography;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What a container spec is made from, beside the pod.</summary>
/// <param name="VolumePaths">Host directory (or file) of each volume by name.</param>
/// <param name="ServiceEnvironment">Where the API server is, as client libraries look for it.</param>
internal sealed record ContainerContext(
    NodeFacts Node, IReadOnlyList<string> PodIps, ReferencedObjects Objects, IReadOnlyDictionary<string, string> VolumePaths, PodDirectories Directories,
    IReadOnlyList<PasswdEntry> Passwd, ulong OwnCapabilities, IReadOnlyDictionary<string, string> ServiceEnvironment, Func<string, string, string> ResolveSubPath);

/// <summary>Turns a container of a pod into what the runtime runs.</summary>
internal static class ContainerSpecFactory
{
    // A fork bomb must not take the node with it; the kubelet has no limit by default, most distributions set one of this size.
    private const long DefaultPids = 4096;
    private const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <exception cref="ContainerConfigException">Why it cannot be run.</exception>
    public static ContainerSpec Create(Pod pod, Container container, int attempt, ContainerContext context)
    {
        var uid = pod.Metadata.Uid!;
        var user = Identities.User(pod, container, context.Passwd);
        var home = context.Passwd.FirstOrDefault(p => p.Uid == user.Uid)?.Home;
        var environment = ContainerEnvironment.Build(
            pod, container, context.Objects, context.PodIps, context.Node,
            [
                new("PATH", Path), new("HOSTNAME", Hostname(pod)), new("HOME", home is null or "/nonexistent" ? "/tmp" : home),
                .. pod.Spec.EnableServiceLinks == false ? context.ServiceEnvironment.Where(v => v.Key.StartsWith("KUBERNETES_SERVICE_", StringComparison.Ordinal)) : context.ServiceEnvironment,
            ]);
        var lookup = environment.ToDictionary(v => v.Key, v => v.Value);
        List<string> command = [.. container.Command.Concat(container.Args).Select(word => VariableExpansion.Expand(word, lookup.GetValueOrDefault))];
        // Without an image there is no entry point, so arguments alone are the whole command line (`kubectl run x --image=none -- sleep 60`).
        if (command.Count == 0)
            throw new ContainerConfigException(
                $"container '{container.Name}' has no command: a pod of RuntimeClass 'process' runs a command of this machine, and its image is not used. Set `command`.");

        var privileged = container.SecurityContext?.Privileged == true;
        var message = context.Directories.TerminationMessage(uid, container.Name, attempt);
        return new ContainerSpec
        {
            Name = container.Name,
            Attempt = attempt,
            SpecHash = Hash(container),
            Command = command,
            LogPath = context.Directories.Log(uid, container.Name, attempt),
            WorkingDirectory = container.WorkingDir,
            Environment = environment,
            Mounts = Mounts(pod, container, context, lookup, message),
            User = user,
            Capabilities = Identities.Capabilities(container.SecurityContext, user.Uid ?? 0, context.OwnCapabilities),
            // Unlike a container's, a process pod's files include the machine's setuid programs: they gain nothing unless the pod asks for it.
            NoNewPrivileges = !privileged && container.SecurityContext?.AllowPrivilegeEscalation != true,
            ReadOnlyRoot = container.SecurityContext?.ReadOnlyRootFilesystem == true,
            DefaultSeccomp = !privileged && UsesDefaultSeccomp(pod, container),
            Privileged = privileged,
            Stdin = container.Stdin == true,
            StdinOnce = container.StdinOnce == true,
            Terminal = container.Tty == true,
            Limits = Limits(container),
            OomScoreAdjust = OomScore(pod, container, context.Node),
            StopSignal = Signal(container.Lifecycle?.StopSignal),
            TerminationMessageFile = message,
        };
    }

    private static bool UsesDefaultSeccomp(Pod pod, Container container)
    {
        var profile = container.SecurityContext?.SeccompProfile ?? pod.Spec.SecurityContext?.SeccompProfile;
        // An unknown profile must not silently become none (CVE-2023-2431).
        return profile?.Type switch
        {
            null or "" or "Unconfined" => false,
            "RuntimeDefault" => true,
            _ => throw new ContainerConfigException($"container '{container.Name}' asks for seccomp profile '{profile.Type}' {profile.LocalhostProfile}: process pods know RuntimeDefault and Unconfined"),
        };
    }

    public static string Hash(Container container) => Convert.ToHexStringLower(SHA256.HashData(ApiJson.Serialize(container)))[..16];

    /// <summary>The pod's hostname: at most 63 bytes, as the kernel's and DNS' labels.</summary>
    public static string Hostname(Pod pod)
    {
        var name = pod.Spec.Hostname is { Length: > 0 } given ? given : pod.Metadata.Name!;
        return (name.Length <= 63 ? name : name[..63]).TrimEnd('-', '.');
    }

    private static List<ContainerMount> Mounts(Pod pod, Container container, ContainerContext context, Dictionary<string, string> environment, string message)
    {
        var uid = pod.Metadata.Uid!;
        var mounts = new List<ContainerMount>
        {
            new(context.Directories.ResolvConf(uid), "/etc/resolv.conf", ReadOnly: false),
            new(message, container.TerminationMessagePath is { Length: > 0 } path ? path : "/dev/termination-log", ReadOnly: false),
        };
        if (pod.Spec.HostNetwork != true)
            mounts.Add(new(context.Directories.Hosts(uid), "/etc/hosts", ReadOnly: false));
        foreach (var mount in container.VolumeMounts)
        {
            if (!context.VolumePaths.TryGetValue(mount.Name, out var source))
                throw new ContainerConfigException($"container '{container.Name}' mounts volume '{mount.Name}', which the pod does not have");
            var sub = mount.SubPathExpr is { Length: > 0 } expression ? VariableExpansion.Expand(expression, environment.GetValueOrDefault) : mount.SubPath;
            if (sub is { Length: > 0 })
                source = context.ResolveSubPath(source, sub);
            // What the API is the author of is read only, whatever the mount says.
            var volume = pod.Spec.Volumes.FirstOrDefault(v => v.Name == mount.Name);
            var readOnly = mount.ReadOnly == true || volume is { ConfigMap: not null } or { Secret: not null } or { Projected: not null } or { DownwardAPI: not null };
            var target = mount.MountPath.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath;
            mounts.RemoveAll(m => m.ContainerPath == target);
            mounts.Add(new(source, target, readOnly, mount.MountPropagation switch { "Bidirectional" => "rshared", "HostToContainer" => "rslave", _ => "rprivate" }));
        }
        return mounts;
    }

    private static ResourceLimits Limits(Container container)
    {
        var (limits, requests) = (container.Resources?.Limits, container.Resources?.Requests);
        var memory = limits is not null && limits.TryGetValue("memory", out var m) && m.Units > 0 ? m.Units : (long?)null;
        var cpu = limits is not null && limits.TryGetValue("cpu", out var c) && c.Milli > 0 ? c.Milli : (long?)null;
        var request = requests is not null && requests.TryGetValue("cpu", out var r) ? r.Milli : cpu ?? 0;
        return new()
        {
            MemoryBytes = memory,
            CpuQuota = cpu is { } milli ? Math.Max(milli * 100, 1000) : null,   // 1 ms is the least the kernel takes
            CpuShares = Math.Max(request * 1024 / 1000, 2),
            Pids = DefaultPids,
        };
    }

    // The kubelet's figures: who asked for less memory of the node is killed first.
    private static int OomScore(Pod pod, Container container, NodeFacts node)
    {
        switch (PodShape.QosClass(pod))
        {
            case "Guaranteed":
                return -997;
            case "BestEffort":
                return 1000;
            default:
                var request = container.Resources is { } resources && resources.Requests.TryGetValue("memory", out var memory) ? memory.Units : 0;
                return (int)Math.Clamp(1000 - (1000 * request / Math.Max(node.AllocatableMemory.Units, 1)), 3, 999);
        }
    }

    private static int Signal(string? name) => name switch
    {
        null or "" or "SIGTERM" => 15,
        "SIGHUP" => 1,
        "SIGINT" => 2,
        "SIGQUIT" => 3,
        "SIGKILL" => 9,
        "SIGUSR1" => 10,
        "SIGUSR2" => 12,
        "SIGWINCH" => 28,
        _ => int.TryParse(name, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65 ? number : 15,
    };
}
