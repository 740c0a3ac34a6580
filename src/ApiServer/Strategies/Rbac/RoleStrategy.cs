using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Rbac;

internal sealed class RoleStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    protected override string? NameRule(string name) => NameRules.PathSegment(name);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context) =>
        root["rules"].Each(rule => PolicyRuleValidation.Validate(rule, namespaced: true));
}
