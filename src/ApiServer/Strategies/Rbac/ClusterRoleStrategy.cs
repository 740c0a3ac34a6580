using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Rbac;

internal sealed class ClusterRoleStrategy : DefaultStrategy
{
    public override bool Namespaced => false;
    public override bool HasStatus => false;

    protected override string? NameRule(string name) => NameRules.PathSegment(name);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        foreach (var error in root["rules"].Each(rule => PolicyRuleValidation.Validate(rule, namespaced: false)))
            yield return error;
        var selectors = root["aggregationRule"]["clusterRoleSelectors"];
        if (root["aggregationRule"].Exists && selectors.Count == 0)
            yield return selectors.Required("at least one clusterRoleSelector required if aggregationRule is non-nil");
        foreach (var error in selectors.Each(SelectorRules.Validate))
            yield return error;
    }
}
