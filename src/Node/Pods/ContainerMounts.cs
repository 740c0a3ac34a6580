using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What is mounted into a container: the node's own files, then the pod's volumes, which win. Pure, but for subPaths, which are pinned.</summary>
internal static class ContainerMounts
{
    /// <exception cref="ContainerConfigException">A volume that the pod does not have, or that cannot be mounted as asked.</exception>
    public static IReadOnlyList<ContainerMount> Of(Pod pod, Container container, ContainerContext context, Dictionary<string, string> environment, string message)
    {
        var uid = pod.Metadata.Uid!;
        var mounts = new List<ContainerMount>
        {
            new(context.Directories.ResolvConf(uid), "/etc/resolv.conf", ReadOnly: false),
            new(message, container.TerminationMessagePath is { Length: > 0 } path ? path : "/dev/termination-log", ReadOnly: false),
        };
        if (pod.Spec.HostNetwork != true || context.Policy.OwnHostsFile)
            mounts.Add(new(context.Directories.Hosts(uid), "/etc/hosts", ReadOnly: false));
        if (container.VolumeDevices.Count > 0)
            throw new ContainerConfigException($"container '{container.Name}' has volumeDevices: block volumes are not supported; use volumeMounts");
        foreach (var mount in container.VolumeMounts)
        {
            if (!context.VolumePaths.TryGetValue(mount.Name, out var source))
                throw new ContainerConfigException($"container '{container.Name}' mounts volume '{mount.Name}', which the pod does not have");
            var sub = mount.SubPathExpr is { Length: > 0 } expression ? VariableExpansion.Expand(expression, environment.GetValueOrDefault) : mount.SubPath;
            if (sub is { Length: > 0 })
                source = context.ResolveSubPath(source, sub);
            var target = mount.MountPath.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath;
            mounts.RemoveAll(m => m.ContainerPath == target);
            mounts.Add(new(source, target, IsReadOnly(pod, mount), mount.MountPropagation switch { "Bidirectional" => "rshared", "HostToContainer" => "rslave", _ => "rprivate" }));
        }
        return mounts;
    }

    // What the API is the author of is read only, whatever the mount says.
    public static bool IsReadOnly(Pod pod, VolumeMount mount) =>
        mount.ReadOnly == true
        || pod.Spec.Volumes.FirstOrDefault(v => v.Name == mount.Name) is { ConfigMap: not null } or { Secret: not null } or { Projected: not null } or { DownwardAPI: not null }
            or { PersistentVolumeClaim.ReadOnly: true };
}
