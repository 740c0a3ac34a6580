using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>A container of an image: its files are its own, so it gets what Docker and containerd give, and the image says what the pod leaves open.</summary>
internal sealed class ImageContainerPolicy(ImageInfo image) : IContainerPolicy
{
    public string? ImageId => image.Id;

    // As with the kubelet's --seccomp-default: a container that names no profile has the runtime's.
    public bool SeccompByDefault => true;
    public bool OwnHostsFile => true;

    public (IReadOnlyList<string> Command, IReadOnlyList<string> Args) Words(Container container, Func<string, string> expand) =>
        ([.. container.Command.Select(expand)], [.. container.Args.Select(expand)]);

    public ProcessIdentity User(Pod pod, Container container)
    {
        var (mine, pods) = (container.SecurityContext, pod.Spec.SecurityContext);
        var (uid, gid) = ((uint?)(mine?.RunAsUser ?? pods?.RunAsUser), (uint?)(mine?.RunAsGroup ?? pods?.RunAsGroup));
        if ((mine?.RunAsNonRoot ?? pods?.RunAsNonRoot) == true)
            CheckNonRoot(pod, container, uid);
        // A group can only be given together with a user; a user by name is left to the runtime, which reads the image's passwd.
        return new(uid ?? (gid is null ? null : (uint?)image.Uid), gid, ContainerGroups.Of(pod));
    }

    // Sentences that Kubernetes' users know and search for.
    private void CheckNonRoot(Pod pod, Container container, uint? uid)
    {
        var of = $"(pod: \"{PodNames.Full(pod)}\", container: {container.Name})";
        if (uid is { } asked)
        {
            if (asked == 0)
                throw new ContainerConfigException($"container's runAsUser breaks non-root policy {of}");
        }
        else if (image.Uid is null && image.UserName is { Length: > 0 } name)
        {
            throw new ContainerConfigException($"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root {of}");
        }
        else if (image.Uid is null or 0)
        {
            throw new ContainerConfigException($"container has runAsNonRoot and image will run as root {of}");
        }
    }

    public IEnumerable<KeyValuePair<string, string>> Environment(Pod pod, ProcessIdentity user) => [new("HOSTNAME", PodNames.Hostname(pod))];

    public IReadOnlyList<string> Capabilities(ProcessIdentity user) => CapabilitySets.Container;

    public bool NoNewPrivileges(SecurityContext? context) => context?.Privileged != true && context?.AllowPrivilegeEscalation == false;

    public void Check(Pod pod, Container container)
    {
        // Beyond it runtimes cut the number off, and 4294967296 becomes root (CVE-2024-40635).
        if (image.Uid is < 0 or > int.MaxValue && (container.SecurityContext?.RunAsUser ?? pod.Spec.SecurityContext?.RunAsUser) is null)
            throw new ContainerConfigException($"the image's user {image.Uid} is out of range: a user is a number from 0 to {int.MaxValue}; name another with runAsUser");
        if (container.SecurityContext?.ProcMount is "Unmasked" && pod.Spec.HostPID == true)
            throw new ContainerConfigException($"container '{container.Name}' asks for procMount Unmasked together with hostPID: that is the machine's own /proc");
    }
}
