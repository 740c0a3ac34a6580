using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Storage;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class StatefulSetStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (WorkloadSpec.Default(tree) is not { } spec)
            return;
        spec.Default("podManagementPolicy", "OrderedReady");
        spec.Default("revisionHistoryLimit", 10);
        if (spec.Ensure("updateStrategy") is { } strategy)
        {
            strategy.Default("type", "RollingUpdate");
            if (strategy.TextAt("type") == "RollingUpdate")
                strategy.Ensure("rollingUpdate")?.Default("partition", 0);
        }
        if (spec.Ensure("persistentVolumeClaimRetentionPolicy") is { } retention)
        {
            retention.Default("whenDeleted", "Retain");
            retention.Default("whenScaled", "Retain");
        }
        foreach (var claim in spec.Objects("volumeClaimTemplates"))
        {
            claim.Default("apiVersion", "v1");
            claim.Default("kind", "PersistentVolumeClaim");
            ClaimSpec.Default(claim.Ensure("spec"));
            claim["status"] = new JsonObject { ["phase"] = "Pending" };
        }
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    // The names of the pods are host names: they must be labels, with room for the number.
    protected override string? NameRule(string name) => NameRules.DnsLabel(name);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["replicas"] = 0 };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        var rolling = spec["updateStrategy"]["rollingUpdate"];
        foreach (var error in WorkloadSpec.Validate(spec, "statefulset", spec["volumeClaimTemplates"].Items.Select(claim => claim["metadata"]["name"].TextOrEmpty))
            .Concat(Rules.AtLeastZero(spec["revisionHistoryLimit"]))
            .Concat(Rules.AtLeastZero(spec["ordinals"]["start"]))
            .Concat(Rules.AtLeastZero(rolling["partition"]))
            .Concat(Amounts.Validate(rolling["maxUnavailable"])))
            yield return error;
        if (spec["updateStrategy"]["type"].Text == "OnDelete" && rolling.Exists)
            yield return rolling.Invalid("only allowed for updateStrategy 'RollingUpdate'");
        if (rolling["maxUnavailable"].Exists && Amounts.Of(rolling["maxUnavailable"]) == 0)
            yield return rolling["maxUnavailable"].Invalid("cannot be 0");
        foreach (var claim in spec["volumeClaimTemplates"].Items)
        {
            foreach (var error in Rules.Named(claim["metadata"]["name"], NameRules.DnsSubdomain).Concat(ClaimSpec.Validate(claim["spec"])))
                yield return error;
        }
    }
}
