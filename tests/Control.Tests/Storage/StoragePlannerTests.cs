using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Storage;
using Weft.Control.Storage;

namespace Weft.Control.Tests.Storage;

public sealed class StoragePlannerTests
{
    private static readonly StorageClass Local = new()
    {
        Metadata = new ObjectMeta { Name = "local", Annotations = new Dictionary<string, string> { ["storageclass.kubernetes.io/is-default-class"] = "true" } },
        Provisioner = "weft.dev/local", VolumeBindingMode = "WaitForFirstConsumer", ReclaimPolicy = "Delete",
    };

    private static readonly Node N1 = new()
    {
        Metadata = new ObjectMeta
        {
            Name = "n1", Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = "n1" },
            Annotations = new Dictionary<string, string> { ["weft.dev/local-volumes"] = "/data/volumes" },
        },
    };

    private static PersistentVolumeClaim Claim(string? storageClass = "", string size = "1Gi", string? selected = null, string? volume = null, bool bound = false, LabelSelector? selector = null)
    {
        var annotations = new Dictionary<string, string>();
        if (selected is not null)
            annotations["volume.kubernetes.io/selected-node"] = selected;
        if (bound)
            annotations["pv.kubernetes.io/bind-completed"] = "yes";
        return new()
        {
            Metadata = new ObjectMeta { Name = "data", Namespace = "default", Uid = "uid-data", Annotations = annotations },
            Spec = new PersistentVolumeClaimSpec
            {
                AccessModes = ["ReadWriteOnce"], StorageClassName = storageClass, VolumeName = volume, VolumeMode = "Filesystem", Selector = selector,
                Resources = new VolumeResourceRequirements { Requests = new Dictionary<string, Quantity> { ["storage"] = Quantity.Parse(size) } },
            },
        };
    }

    private static PersistentVolume Volume(string name, string size = "1Gi", string storageClass = "", ObjectReference? claim = null, string policy = "Retain", string phase = "Available") => new()
    {
        Metadata = new ObjectMeta { Name = name, Uid = "uid-" + name },
        Spec = new PersistentVolumeSpec
        {
            Capacity = new Dictionary<string, Quantity> { ["storage"] = Quantity.Parse(size) }, AccessModes = ["ReadWriteOnce", "ReadWriteMany"],
            HostPath = new HostPathVolumeSource { Path = "/srv/" + name }, StorageClassName = storageClass, ClaimRef = claim, PersistentVolumeReclaimPolicy = policy,
        },
        Status = new PersistentVolumeStatus { Phase = phase },
    };

    private static ClaimStep Plan(PersistentVolumeClaim claim, params PersistentVolume[] volumes) => ClaimPlanner.Plan(claim, new StorageView(volumes, [Local], [N1]));

    [Fact]
    public void A_claim_gets_the_smallest_volume_that_is_large_enough()
    {
        var step = Plan(Claim(size: "2Gi"), Volume("large", "10Gi"), Volume("small", "1Gi"), Volume("right", "3Gi"), Volume("taken", "2Gi", claim: new ObjectReference { Namespace = "default", Name = "other" }));
        Assert.Equal("right", Assert.IsType<ClaimStep.Bind>(step).Volume.Metadata.Name);
    }

    [Fact]
    public void A_volume_that_is_kept_for_the_claim_comes_before_a_better_one()
    {
        var kept = Volume("kept", "10Gi", claim: new ObjectReference { Namespace = "default", Name = "data" });
        Assert.Equal("kept", Assert.IsType<ClaimStep.Bind>(Plan(Claim(), Volume("small"), kept)).Volume.Metadata.Name);
    }

    [Fact]
    public void A_claim_that_waits_for_its_consumer_is_provisioned_on_the_node_of_the_pod()
    {
        Assert.Equal("WaitForFirstConsumer", Assert.IsType<ClaimStep.Wait>(Plan(Claim("local"))).Reason);
        var provision = Assert.IsType<ClaimStep.Provision>(Plan(Claim("local", selected: "n1")));
        var volume = LocalVolumes.For(Claim("local", selected: "n1"), provision.Class, provision.Node);
        Assert.Equal("/data/volumes/pvc-uid-data", volume.Spec.Local!.Path);
        Assert.True(VolumeNodes.Reaches(volume, N1));
        Assert.IsType<ClaimStep.ChooseAgain>(Plan(Claim("local", selected: "gone")));
    }

    [Fact]
    public void A_claim_that_cannot_be_had_says_why()
    {
        Assert.Equal("FailedBinding", Assert.IsType<ClaimStep.Wait>(Plan(Claim())).Reason);
        Assert.Contains("not found", Assert.IsType<ClaimStep.Wait>(Plan(Claim("fast"))).Message, StringComparison.Ordinal);
        Assert.Contains("Selector", Assert.IsType<ClaimStep.Wait>(Plan(Claim("local", selected: "n1", selector: Make.Select()))).Message, StringComparison.Ordinal);
        Assert.Contains("too small", Assert.IsType<ClaimStep.Wait>(Plan(Claim(volume: "v", size: "2Gi"), Volume("v"))).Message, StringComparison.Ordinal);
        Assert.Equal("local", Assert.IsType<ClaimStep.Classify>(Plan(Claim(storageClass: null))).Class);
        Assert.IsType<ClaimStep.Lose>(Plan(Claim(volume: "v", bound: true)));
    }

    [Fact]
    public void A_volume_without_its_claim_is_kept_deleted_or_failed_by_its_policy()
    {
        var reference = new ObjectReference { Namespace = "default", Name = "data", Uid = "uid-data" };
        Assert.Equal("Available", VolumePlanner.Plan(Volume("v"), null, false).Phase);
        Assert.Equal("Bound", VolumePlanner.Plan(Volume("v", claim: reference), Claim(volume: "v"), false).Phase);
        Assert.Equal(new VolumePlan("Released"), VolumePlanner.Plan(Volume("v", claim: reference), null, false));
        Assert.Equal("Failed", VolumePlanner.Plan(Volume("v", claim: reference, policy: "Delete"), null, false).Phase);
        var ours = LocalVolumes.For(Claim("local"), Local, N1);
        Assert.True(VolumePlanner.Plan(ours, null, false).Delete);
        var going = ours with { Metadata = ours.Metadata with { DeletionTimestamp = Make.Now, Finalizers = ["kubernetes.io/pv-protection", "weft.dev/local-volume"] } };
        Assert.Equal(["weft.dev/local-volume"], VolumePlanner.Plan(going, null, false).Finalizers);
        Assert.Empty(VolumePlanner.Plan(going, null, nodeIsGone: true).Finalizers!);
        Assert.Null(VolumePlanner.Plan(going, Claim(volume: going.Metadata.Name), nodeIsGone: true).Finalizers);
    }
}
