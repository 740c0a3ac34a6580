using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class ReplicaSetStrategy : DefaultStrategy
{
    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["status.replicas"] = set => (set.Object("status").NumberAt("replicas") ?? 0).ToString(CultureInfo.InvariantCulture),
    }.ToFrozenDictionary();

    public override void Default(JsonObject tree) => WorkloadSpec.Default(tree);

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    protected override JsonObject InitialStatus(JsonObject tree) => new() { ["replicas"] = 0 };

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource != "status")
            return (root["spec"]["template"].Exists ? [] : (FieldError[])[root["spec"]["template"].Required()]).Concat(WorkloadSpec.Validate(root["spec"], "replica set"));
        var status = root["status"];
        return ((string[])["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"]).SelectMany(name => Rules.AtLeastZero(status[name]));
    }
}
