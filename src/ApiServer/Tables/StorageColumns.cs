using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class StorageColumns
{
    internal static ColumnList PersistentVolume() => new()
    {
        ColumnList.NameColumn,
        { "Capacity", "Size", v => Text(Object(v, "spec", "capacity"), "storage") },
        { "Access Modes", "How it may be mounted", v => Modes(Object(v, "spec")) },
        { "Reclaim Policy", "What happens when its claim is gone", v => Text(Object(v, "spec"), "persistentVolumeReclaimPolicy") },
        { "Status", "Its phase", v => Terminating(v) ? "Terminating" : Text(Object(v, "status"), "phase") },
        { "Claim", "The claim that has it", v => Object(v, "spec", "claimRef") is { } claim ? $"{Text(claim, "namespace")}/{Text(claim, "name")}" : "" },
        { "StorageClass", "Class", v => Text(Object(v, "spec"), "storageClassName") },
        { "VolumeAttributesClass", "Class of mutable attributes", v => Text(Object(v, "spec"), "volumeAttributesClassName", "<unset>") },
        { "Reason", "One word for a failure", v => Text(Object(v, "status"), "reason") },
        ColumnList.AgeColumn,
        new Wide("VolumeMode", "Filesystem or Block", v => Text(Object(v, "spec"), "volumeMode", "<unset>")),
    };

    internal static ColumnList PersistentVolumeClaim() => new()
    {
        ColumnList.NameColumn,
        { "Status", "Its phase", c => Terminating(c) ? "Terminating" : Text(Object(c, "status"), "phase") },
        { "Volume", "The volume that is bound", c => Text(Object(c, "spec"), "volumeName") },
        { "Capacity", "Size of the volume", c => Text(Object(c, "status", "capacity"), "storage") },
        { "Access Modes", "How the volume may be mounted", c => Modes(Object(c, "status")) },
        { "StorageClass", "Class", c => Text(Object(c, "spec"), "storageClassName") },
        { "VolumeAttributesClass", "Class of mutable attributes", c => Text(Object(c, "spec"), "volumeAttributesClassName", "<unset>") },
        ColumnList.AgeColumn,
        new Wide("VolumeMode", "Filesystem or Block", c => Text(Object(c, "spec"), "volumeMode", "<unset>")),
    };

    internal static ColumnList StorageClass() => new()
    {
        new Registry.TableColumn("Name", "string", "name", "Name, and whether it is the default", 0, (c, _) => JsonValue.Create(ClassName(c))),
        { "Provisioner", "Who makes the volumes", c => Text(c, "provisioner") },
        { "ReclaimPolicy", "What happens to volumes when their claim is gone", c => Text(c, "reclaimPolicy", "Delete") },
        { "VolumeBindingMode", "When claims are bound", c => Text(c, "volumeBindingMode", "Immediate") },
        { "AllowVolumeExpansion", "Whether claims may grow", c => Flag(c, "allowVolumeExpansion") },
        ColumnList.AgeColumn,
    };

    private static string ClassName(JsonObject storageClass)
    {
        var name = Metadata.Name(storageClass);
        var annotations = Object(storageClass, "metadata", "annotations");
        return Text(annotations, "storageclass.kubernetes.io/is-default-class") == "true" ? name + " (default)" : name;
    }

    private static bool Terminating(JsonObject tree) => Metadata.IsBeingDeleted(tree);

    private static string Modes(JsonObject? parent) => string.Join(',', Metadata.Strings(parent, "accessModes").Select(mode => mode switch
    {
        "ReadWriteOnce" => "RWO", "ReadOnlyMany" => "ROX", "ReadWriteMany" => "RWX", "ReadWriteOncePod" => "RWOP", _ => mode,
    }));
}
