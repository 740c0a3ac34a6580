using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class ResourceQuotaStrategy : DefaultStrategy
{
    public static readonly string[] Scopes = ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass"];

    public override void Default(JsonObject tree)
    {
        tree.Object("spec").CanonicalQuantities("hard");
        tree.Object("status").CanonicalQuantities("hard");
        tree.Object("status").CanonicalQuantities("used");
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        foreach (var error in spec["hard"].Entries.SelectMany(entry => Rules.Quantity(entry.Field)))
            yield return error;
        foreach (var scope in spec["scopes"].Items)
        {
            if (scope.Text is { } name && !Scopes.Contains(name))
                yield return scope.Invalid("unsupported scope");
        }
        if (old is { } before && context.Subresource.Length == 0 && !spec["scopes"].Value.SameAs(before["spec"]["scopes"].Value))
            yield return spec["scopes"].Invalid("field is immutable");
    }
}
