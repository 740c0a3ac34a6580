using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>A command of this machine: it shares the machine's files, so it gets less than a container by default.</summary>
internal sealed class ProcessContainerPolicy(IReadOnlyList<PasswdEntry> passwd) : IContainerPolicy
{
    private const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public string? ImageId => null;
    public bool SeccompByDefault => false;
    public bool OwnHostsFile => false;

    public (IReadOnlyList<string> Command, IReadOnlyList<string> Args) Words(Container container, Func<string, string> expand)
    {
        // Without an image there is no entry point, so arguments alone are the whole command line (`kubectl run x --image=none -- sleep 60`).
        List<string> command = [.. container.Command.Concat(container.Args).Select(expand)];
        return command.Count > 0 ? (command, []) : throw new ContainerConfigException(
            $"container '{container.Name}' has no command: a pod of RuntimeClass 'process' runs a command of this machine, and its image is not used. Set `command`.");
    }

    public ProcessIdentity User(Pod pod, Container container)
    {
        var (mine, pods) = (container.SecurityContext, pod.Spec.SecurityContext);
        var uid = (uint?)(mine?.RunAsUser ?? pods?.RunAsUser) ?? ProcessIdentity.Nobody.Uid;
        if (uid == 0 && (mine?.RunAsNonRoot ?? pods?.RunAsNonRoot) == true)
            throw new ContainerConfigException($"container '{container.Name}' has runAsNonRoot and runAsUser 0: choose another runAsUser, or leave it out to run as nobody");
        // A user without a line in passwd gets nobody's group, not root's as in a container: here group 0 is the machine's.
        var gid = (uint?)(mine?.RunAsGroup ?? pods?.RunAsGroup) ?? passwd.FirstOrDefault(p => p.Uid == uid)?.Gid ?? ProcessIdentity.Nobody.Gid;
        return new(uid, gid, ContainerGroups.Of(pod));
    }

    public IEnumerable<KeyValuePair<string, string>> Environment(Pod pod, ProcessIdentity user)
    {
        var home = passwd.FirstOrDefault(p => p.Uid == user.Uid)?.Home;
        return [new("PATH", Path), new("HOSTNAME", PodNames.Hostname(pod)), new("HOME", home is null or "/nonexistent" ? "/tmp" : home)];
    }

    public IReadOnlyList<string> Capabilities(ProcessIdentity user) => user.Uid == 0 ? CapabilitySets.RootProcess : [];

    // Unlike a container's, a process pod's files include the machine's setuid programs: they gain nothing unless the pod asks for it.
    public bool NoNewPrivileges(SecurityContext? context) => context?.Privileged != true && context?.AllowPrivilegeEscalation != true;

    public void Check(Pod pod, Container container)
    {
        if (container.SecurityContext?.ProcMount is "Unmasked")
            throw new ContainerConfigException($"container '{container.Name}' asks for procMount Unmasked: a process pod would see the machine's own settings. Leave it out.");
    }
}

/// <summary>Supplementary groups: the pod's, and the one that owns its volumes.</summary>
internal static class ContainerGroups
{
    public static IReadOnlyList<uint> Of(Pod pod)
    {
        var context = pod.Spec.SecurityContext;
        var groups = (context?.SupplementalGroups ?? []).Select(g => (uint)g).ToList();
        if (context?.FsGroup is { } fsGroup)
            groups.Add((uint)fsGroup);
        return [.. groups.Distinct()];
    }
}
