using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Cel;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Webhooks;

namespace Weft.ApiServer.Strategies.Admission;

internal sealed class AdmissionPolicyStrategy : DefaultStrategy
{
    private static readonly string[] Reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        if (tree.Object("spec") is not { } spec)
            return;
        spec.Default("failurePolicy", "Fail");
        Matches(spec.Object("matchConstraints"));
    }

    internal static void Matches(JsonObject? matches)
    {
        if (matches is null)
            return;
        matches.Default("matchPolicy", "Equivalent");
        matches.Ensure("namespaceSelector");
        matches.Ensure("objectSelector");
        foreach (var rule in matches.Objects("resourceRules").Concat(matches.Objects("excludeResourceRules")))
            rule.Default("scope", "*");
    }

    internal static IEnumerable<FieldError> MatchErrors(Field matches) =>
        AdmissionRuleChecks.Selectors(matches).Concat(AdmissionRuleChecks.Rules(matches["resourceRules"])).Concat(AdmissionRuleChecks.Rules(matches["excludeResourceRules"]));

    private static Dictionary<string, CelType> Seen(Field spec)
    {
        var variables = AdmissionExpressions.PolicyVariables.ToDictionary();
        if (spec["paramKind"].Exists)
            variables["params"] = CelType.Dyn;
        return variables;
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        foreach (var error in MatchErrors(spec["matchConstraints"]).Concat(AdmissionRuleChecks.Conditions(spec["matchConditions"], Seen(spec))))
            yield return error;
        if (!spec["matchConstraints"].Exists)
            yield return spec["matchConstraints"].Required();
        else if (spec["matchConstraints"]["resourceRules"].Count == 0)
            yield return spec["matchConstraints"]["resourceRules"].Required();
        if (spec["paramKind"] is { Exists: true } param)
        {
            foreach (var name in (string[])["apiVersion", "kind"])
            {
                if (param[name].TextOrEmpty.Length == 0)
                    yield return param[name].Required();
            }
        }
        if (spec["validations"].Count == 0 && spec["auditAnnotations"].Count == 0)
            yield return spec["validations"].Required("validations or auditAnnotations must contain at least one item");

        // A variable sees those before it.
        var variables = Seen(spec);
        foreach (var error in Rules.Unique(spec["variables"], "name"))
            yield return error;
        foreach (var variable in spec["variables"].Items)
        {
            if (!AdmissionExpressions.IsName(variable["name"].TextOrEmpty))
                yield return variable["name"].Invalid("must be a name of CEL: letters, digits and underscores");
            foreach (var error in AdmissionRuleChecks.Expression(variable["expression"], variables, null))
                yield return error;
            variables["variables"] = CelType.Dyn;
        }
        variables["variables"] = CelType.Dyn;
        foreach (var validation in spec["validations"].Items)
        {
            foreach (var error in AdmissionRuleChecks.Expression(validation["expression"], variables, CelType.Bool))
                yield return error;
            if (validation["messageExpression"].Exists)
            {
                foreach (var error in AdmissionRuleChecks.Expression(validation["messageExpression"], variables, CelType.String))
                    yield return error;
            }
            if (validation["reason"].Text is { } reason && !Reasons.Contains(reason))
                yield return validation["reason"].Unsupported(Reasons);
        }
        foreach (var annotation in spec["auditAnnotations"].Items)
        {
            foreach (var error in Rules.Named(annotation["key"], NameRules.QualifiedName).Concat(AdmissionRuleChecks.Expression(annotation["valueExpression"], variables, null)))
                yield return error;
        }
    }
}

internal sealed class AdmissionPolicyBindingStrategy : DefaultStrategy
{
    private static readonly string[] Actions = ["Audit", "Deny", "Warn"];

    public override bool Namespaced => false;
    public override bool HasStatus => false;

    public override void Default(JsonObject tree) => AdmissionPolicyStrategy.Matches(tree.Object("spec").Object("matchResources"));

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        var (policy, actions, param) = (spec["policyName"], spec["validationActions"], spec["paramRef"]);
        if (policy.TextOrEmpty.Length == 0)
            yield return policy.Required();
        foreach (var error in AdmissionPolicyStrategy.MatchErrors(spec["matchResources"]))
            yield return error;
        if (actions.Count == 0)
            yield return actions.Required("at least one validation action is required");
        foreach (var action in actions.Items)
        {
            if (!Actions.Contains(action.TextOrEmpty))
                yield return action.Unsupported(Actions);
        }
        if (actions.Items.Any(action => action.Text == "Deny") && actions.Items.Any(action => action.Text == "Warn"))
            yield return actions.Invalid("must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
        if (!param.Exists)
            yield break;
        if ((param["name"].TextOrEmpty.Length > 0) == param["selector"].Exists)
            yield return param["name"].Required("exactly one of name and selector must be set");
        if (param["parameterNotFoundAction"].TextOrEmpty.Length == 0)
            yield return param["parameterNotFoundAction"].Required();
        foreach (var error in SelectorRules.Validate(param["selector"]))
            yield return error;
    }
}
