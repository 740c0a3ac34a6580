using System.Collections.Immutable;
using System.Globalization;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>The pods and claims of a stateful set: names and contents follow from the number alone.</summary>
internal static class StatefulPods
{
    private const string NameLabel = "statefulset.kubernetes.io/pod-name";
    private const string IndexLabel = "apps.kubernetes.io/pod-index";

    public static string NameOf(StatefulSet set, int ordinal) => string.Create(CultureInfo.InvariantCulture, $"{set.Metadata.Name}-{ordinal}");

    /// <summary>-1 when the name is not one of the set's.</summary>
    public static int OrdinalOf(StatefulSet set, string? pod)
    {
        var prefix = set.Metadata.Name + "-";
        return pod is not null && pod.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(pod.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) && NameOf(set, ordinal) == pod ? ordinal : -1;
    }

    public static string ClaimName(StatefulSet set, PersistentVolumeClaim template, int ordinal) => $"{template.Metadata.Name}-{NameOf(set, ordinal)}";

    public static Pod New(StatefulSet set, int ordinal, PodTemplateSpec template, string revision)
    {
        var name = NameOf(set, ordinal);
        var claimed = set.Spec.VolumeClaimTemplates.Select(claim => claim.Metadata.Name ?? "").ToHashSet();
        return new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = set.Metadata.Namespace,
                Labels = new Dictionary<string, string>(template.Metadata.Labels)
                {
                    [NameLabel] = name, [IndexLabel] = ordinal.ToString(CultureInfo.InvariantCulture), [RevisionPlanner.HashLabel] = revision,
                },
                Annotations = template.Metadata.Annotations,
                Finalizers = template.Metadata.Finalizers,
                OwnerReferences = [set.AsController()],
            },
            Spec = template.Spec with
            {
                Hostname = name,
                Subdomain = set.Spec.ServiceName,
                Volumes =
                [
                    .. set.Spec.VolumeClaimTemplates.Select(claim => new Volume
                    {
                        Name = claim.Metadata.Name ?? "",
                        PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = ClaimName(set, claim, ordinal) },
                    }),
                    .. template.Spec.Volumes.Where(volume => !claimed.Contains(volume.Name)),
                ],
            },
        };
    }

    public static ImmutableArray<PersistentVolumeClaim> ClaimsOf(StatefulSet set, int ordinal) =>
    [
        .. set.Spec.VolumeClaimTemplates.Select(template => new PersistentVolumeClaim
        {
            Metadata = new ObjectMeta
            {
                Name = ClaimName(set, template, ordinal),
                Namespace = set.Metadata.Namespace,
                Labels = new Dictionary<string, string>([.. template.Metadata.Labels.Where(one => !set.Spec.Selector.MatchLabels.ContainsKey(one.Key)), .. set.Spec.Selector.MatchLabels]),
                Annotations = template.Metadata.Annotations,
                OwnerReferences = set.Spec.PersistentVolumeClaimRetentionPolicy?.WhenDeleted == "Delete" ? [set.AsController()] : [],
            },
            Spec = template.Spec,
        }),
    ];

    public static string RevisionOf(Pod pod) => pod.Metadata.Labels.GetValueOrDefault(RevisionPlanner.HashLabel) ?? "";
}
