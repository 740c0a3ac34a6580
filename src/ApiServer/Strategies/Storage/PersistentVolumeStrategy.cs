using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Storage;

internal sealed class PersistentVolumeStrategy : DefaultStrategy
{
    private static readonly string[] Sources =
    [
        "awsElasticBlockStore", "azureDisk", "csi", "fc", "gcePersistentDisk", "hostPath", "local", "nfs", "vsphereVolume",
    ];

    public override bool Namespaced => false;

    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return;
        spec.Default("persistentVolumeReclaimPolicy", "Retain");
        spec.Default("volumeMode", "Filesystem");
        spec.CanonicalQuantities("capacity");
        if (spec.Object("hostPath") is { } path && path["type"] is null)
            path["type"] = "";
    }

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["phase"] = "Pending" };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            return [];
        return Spec(root["spec"]).Concat(old is { } before ? Update(root["spec"], before["spec"]) : []);
    }

    private static IEnumerable<FieldError> Spec(Field spec)
    {
        if (spec["accessModes"].Count == 0)
            yield return spec["accessModes"].Required("at least 1 access mode is required");
        if (!spec["capacity"]["storage"].Exists)
            yield return spec["capacity"].Required();
        foreach (var error in ClaimSpec.Modes(spec["accessModes"])
            .Concat(spec["capacity"].Entries.SelectMany(entry => Rules.Quantity(entry.Field)))
            .Concat(Rules.OneVariant(spec, Sources, "volume type"))
            .Concat(Rules.Optional(spec["storageClassName"], NameRules.DnsSubdomain))
            .Concat(Path(spec["hostPath"]))
            .Concat(Path(spec["local"]))
            .Concat(spec["nfs"].Exists ? Rules.Filled(spec["nfs"]["server"]).Concat(Rules.Filled(spec["nfs"]["path"])) : [])
            .Concat(spec["csi"].Exists ? Rules.Filled(spec["csi"]["driver"]).Concat(Rules.Filled(spec["csi"]["volumeHandle"])) : []))
            yield return error;

        var nodes = spec["nodeAffinity"];
        if (nodes.Exists && !nodes["required"].Exists)
            yield return nodes["required"].Required("must specify required node constraints");
        else if (nodes.Exists)
        {
            foreach (var error in PlacementValidation.NodeSelector(nodes["required"]))
                yield return error;
        }
        if (spec["local"].Exists && !nodes.Exists)
            yield return nodes.Required("Local volume requires node affinity");
        if (spec["claimRef"] is { Exists: true } claim && (claim["name"].TextOrEmpty.Length == 0 || claim["namespace"].TextOrEmpty.Length == 0))
            yield return claim.Required("must name the claim and its namespace");
    }

    private static IEnumerable<FieldError> Path(Field source)
    {
        var path = source["path"];
        if (!source.Exists)
            yield break;
        if (path.TextOrEmpty.Length == 0)
            yield return path.Required();
        else if (path.TextOrEmpty.Split('/').Contains(".."))
            yield return path.Invalid("must not contain '..'");
    }

    private static IEnumerable<FieldError> Update(Field spec, Field old)
    {
        if (Sources.Any(source => !spec[source].Value.SameAs(old[source].Value)))
            yield return spec.Forbidden("spec.persistentvolumesource is immutable after creation");
        if (!spec["volumeMode"].Value.SameAs(old["volumeMode"].Value))
            yield return spec["volumeMode"].Invalid("field is immutable");
        if (old["nodeAffinity"].Exists && !spec["nodeAffinity"].Value.SameAs(old["nodeAffinity"].Value))
            yield return spec["nodeAffinity"].Invalid("field is immutable");
    }
}
