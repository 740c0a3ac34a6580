using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class RuntimeClassStrategy : DefaultStrategy
{
    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree) => tree.Object("overhead").CanonicalQuantities("podFixed");

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        Rules.Named(root["handler"], NameRules.DnsLabel)
            .Concat(root["overhead"]["podFixed"].Entries.SelectMany(entry => Rules.Quantity(entry.Field)))
            .Concat(ObjectMetaValidation.Labels(root["scheduling"]["nodeSelector"]));
}
