using Weft.Api.Core;
using Weft.Api.Storage;
using Weft.Control.Runtime;

namespace Weft.Control.Storage;

/// <summary>What is to be done about a claim.</summary>
public abstract record ClaimStep
{
    /// <summary>The claim has this volume, or gets it now.</summary>
    public sealed record Bind(PersistentVolume Volume) : ClaimStep;

    /// <summary>A volume is to be made on a node.</summary>
    public sealed record Provision(StorageClass Class, Node Node) : ClaimStep;

    /// <summary>The claim gets the class that is the default by now.</summary>
    public sealed record Classify(string Class) : ClaimStep;

    /// <summary>The chosen node cannot have the volume: the scheduler is to choose again.</summary>
    public sealed record ChooseAgain(string Reason, string Message) : ClaimStep;

    /// <summary>Its volume is gone.</summary>
    public sealed record Lose(string Message) : ClaimStep;

    /// <summary>Nothing can be done now.</summary>
    /// <param name="External">The provisioner outside that will make the volume; null for none.</param>
    public sealed record Wait(string Type, string Reason, string Message, string? External = null) : ClaimStep;
}

/// <summary>What a claim is decided on.</summary>
/// <param name="Volumes">All volumes.</param>
/// <param name="Classes">All storage classes.</param>
/// <param name="Nodes">All nodes.</param>
public sealed record StorageView(IReadOnlyList<PersistentVolume> Volumes, IReadOnlyList<StorageClass> Classes, IReadOnlyList<Node> Nodes);

/// <summary>Finds the volume of a claim, or who is to make one. Pure.</summary>
public static class ClaimPlanner
{
    public static ClaimStep Plan(PersistentVolumeClaim claim, StorageView view)
    {
        if (claim.Annotation(StorageNames.BindCompleted) is not null)
            return Bound(claim, view);
        if (!string.IsNullOrEmpty(claim.Spec.VolumeName))
            return Named(claim, view);

        var storageClass = view.Classes.FirstOrDefault(item => item.Metadata.Name == claim.Spec.StorageClassName);
        var waits = storageClass?.VolumeBindingMode == "WaitForFirstConsumer";
        var selected = claim.Annotation(StorageNames.SelectedNode);
        var node = string.IsNullOrEmpty(selected) ? null : view.Nodes.FirstOrDefault(item => item.Metadata.Name == selected);
        if (waits && !string.IsNullOrEmpty(selected) && node is null)
            return new ClaimStep.ChooseAgain("ProvisioningFailed", $"node \"{selected}\" is gone");

        // A volume that was kept for the claim is its own whatever its class says.
        if (VolumeMatch.Find(claim, view.Volumes, volume => !waits || node is not null && VolumeNodes.Reaches(volume, node)) is { } found)
            return new ClaimStep.Bind(found);
        if (waits && node is null)
            return new ClaimStep.Wait("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
        if (claim.Spec.StorageClassName is null && Default(view.Classes) is { } name)
            return new ClaimStep.Classify(name);
        if (string.IsNullOrEmpty(claim.Spec.StorageClassName))
            return new ClaimStep.Wait("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
        if (storageClass is null)
            return new ClaimStep.Wait("Warning", "ProvisioningFailed", $"storageclass.storage.k8s.io \"{claim.Spec.StorageClassName}\" not found");
        return Provision(claim, storageClass, node, view);
    }

    private static ClaimStep Provision(PersistentVolumeClaim claim, StorageClass storageClass, Node? selected, StorageView view)
    {
        switch (storageClass.Provisioner)
        {
            case StorageNames.LocalProvisioner:
                break;
            case "kubernetes.io/no-provisioner":
                return new ClaimStep.Wait("Normal", "FailedBinding", "no persistent volumes available for this claim: its storage class has no provisioner");
            default:
                return new ClaimStep.Wait("Normal", "ExternalProvisioning",
                    $"Waiting for a volume to be created either by the external provisioner '{storageClass.Provisioner}' or manually by the system administrator. "
                    + "If volume creation is delayed, please verify that the provisioner is running and correctly registered.", storageClass.Provisioner);
        }

        if (claim.Spec.Selector is not null)
            return Refuse("claim.Spec.Selector is not supported: a volume that is made for the claim has no labels to select by");
        if (claim.Spec.VolumeMode == "Block")
            return Refuse("block volumes are not supported by weft.dev/local: its volumes are directories");
        if (claim.Spec.DataSource is not null || claim.Spec.DataSourceRef is not null)
            return Refuse("weft.dev/local cannot fill a volume from a data source");

        var node = selected ?? view.Nodes.Where(item => IsAllowed(storageClass, item) && item.Annotation(StorageNames.LocalDirectory) is not null)
            .MinBy(item => item.Metadata.Name, StringComparer.Ordinal);
        if (node is null)
            return Refuse("no node can have the volume");
        if (!IsAllowed(storageClass, node))
            return new ClaimStep.ChooseAgain("ProvisioningFailed", $"the storage class does not allow volumes on node \"{node.Metadata.Name}\"");
        if (node.Annotation(StorageNames.LocalDirectory) is null)
            return new ClaimStep.ChooseAgain("ProvisioningFailed", $"node \"{node.Metadata.Name}\" has no directory for local volumes");
        return new ClaimStep.Provision(storageClass, node);

        static ClaimStep Refuse(string why) => new ClaimStep.Wait("Warning", "ProvisioningFailed", "failed to provision volume: " + why);
    }

    private static ClaimStep Bound(PersistentVolumeClaim claim, StorageView view)
    {
        var volume = view.Volumes.FirstOrDefault(item => item.Metadata.Name == claim.Spec.VolumeName);
        if (volume is null)
            return new ClaimStep.Lose("Bound claim has lost its PersistentVolume. Data on the volume is lost!");
        if (volume.Spec.ClaimRef is { } reference && VolumeMatch.IsFor(reference, claim) || volume.Spec.ClaimRef is null)
            return new ClaimStep.Bind(volume);
        return new ClaimStep.Lose("Two claims are bound to the same volume, this one is bound incorrectly");
    }

    private static ClaimStep Named(PersistentVolumeClaim claim, StorageView view)
    {
        if (view.Volumes.FirstOrDefault(item => item.Metadata.Name == claim.Spec.VolumeName) is not { } volume)
            return new ClaimStep.Wait("Warning", "FailedBinding", $"volume \"{claim.Spec.VolumeName}\" not found");
        if (volume.Spec.ClaimRef is { } reference)
        {
            return VolumeMatch.IsFor(reference, claim)
                ? new ClaimStep.Bind(volume)
                : new ClaimStep.Wait("Warning", "FailedBinding", $"volume \"{volume.Metadata.Name}\" already bound to a different claim.");
        }

        return VolumeMatch.WhyUnfit(volume, claim) is { } why
            ? new ClaimStep.Wait("Warning", "VolumeMismatch", $"Cannot bind to requested volume \"{volume.Metadata.Name}\": {why}")
            : new ClaimStep.Bind(volume);
    }

    private static bool IsAllowed(StorageClass storageClass, Node node) => storageClass.AllowedTopologies.Count == 0
        || storageClass.AllowedTopologies.Any(term => term.MatchLabelExpressions.All(one =>
            node.Metadata.Labels.TryGetValue(one.Key, out var value) && one.Values.Contains(value)));

    private static string? Default(IReadOnlyList<StorageClass> classes) => classes
        .Where(item => item.Annotation(StorageNames.DefaultClass) == "true")
        .OrderByDescending(item => item.Metadata.CreationTimestamp).ThenBy(item => item.Metadata.Name, StringComparer.Ordinal)
        .FirstOrDefault()?.Metadata.Name;
}
