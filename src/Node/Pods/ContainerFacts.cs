using Weft.Api.Core;
using Weft.Node.Images;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What a container's status says beside its state: image, mounts, resources. Pure.</summary>
internal static class ContainerFacts
{
    /// <param name="image">What it was made from; null: not known in this run of the agent, or a command of this machine.</param>
    /// <param name="before">The status that the API has: it keeps what only an earlier run knew.</param>
    public static ContainerStatus Add(ContainerStatus status, Pod pod, Container spec, ImageInfo? image, ContainerStatus? before)
    {
        var known = image is null && before?.ContainerID == status.ContainerID ? before : null;
        return status with
        {
            Image = image is null ? known?.Image ?? status.Image : Name(spec.Image, image),
            ImageID = image is null ? known?.ImageID ?? "" : image.Digests.Count > 0 ? Digest(spec.Image, image) : image.Id,
            Resources = spec.Resources is { } resources && (resources.Limits.Count > 0 || resources.Requests.Count > 0) ? resources with { Claims = [] } : null,
            AllocatedResources = spec.Resources?.Requests ?? new Dictionary<string, Api.Quantity>(),
            VolumeMounts =
            [
                .. spec.VolumeMounts.Select(m => ContainerMounts.IsReadOnly(pod, m)
                    ? new VolumeMountStatus { Name = m.Name, MountPath = m.MountPath, ReadOnly = true, RecursiveReadOnly = "Disabled" }
                    : new VolumeMountStatus { Name = m.Name, MountPath = m.MountPath }),
            ],
        };
    }

    private static string Name(string? asked, ImageInfo image) =>
        ImageName.Parse(asked) is { } name && (name.Digest is not null || image.Names.Contains(name.Full)) ? name.Full : image.Names.Count > 0 ? image.Names[0] : asked ?? "";

    // An image may be here under several repositories: the one that the pod named comes first.
    private static string Digest(string? asked, ImageInfo image) =>
        ImageName.Parse(asked) is { } name && image.Digests.FirstOrDefault(d => d.StartsWith(name.Repository + "@", StringComparison.Ordinal)) is { } own ? own : image.Digests[0];
}
