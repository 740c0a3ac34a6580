using Weft.Api;
using Weft.Api.Cel;
using Weft.ApiServer.Webhooks;

namespace Weft.ApiServer.Strategies.Admission;

/// <summary>What webhooks and policies share: which requests they are asked about.</summary>
internal static class AdmissionRuleChecks
{
    private static readonly string[] Operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

    public static IEnumerable<FieldError> Rules(Field rules) => rules.Each(Rule);

    private static IEnumerable<FieldError> Rule(Field rule)
    {
        foreach (var name in (string[])["operations", "apiGroups", "apiVersions", "resources"])
        {
            var list = rule[name];
            if (list.Count == 0)
                yield return list.Required();
            else if (list.Count > 1 && list.Items.Any(item => item.Text == "*") && name != "resources")
                yield return list.Invalid("if '*' is present, must not specify other " + name);
        }
        foreach (var operation in rule["operations"].Items)
        {
            if (!Operations.Contains(operation.TextOrEmpty))
                yield return operation.Unsupported(Operations);
        }
        foreach (var version in rule["apiVersions"].Items.Where(version => version.IsBlank))
            yield return version.Required();
        foreach (var resource in rule["resources"].Items)
        {
            if (resource.IsBlank)
                yield return resource.Required();
            else if (resource.TextOrEmpty.Count(c => c == '/') > 1 || resource.TextOrEmpty.EndsWith('/') || resource.TextOrEmpty.StartsWith('/'))
                yield return resource.Invalid("must be a resource, or a resource and a subresource: pods, pods/status, pods/*, */*");
        }
        var all = rule["resources"].Items.Select(resource => resource.TextOrEmpty).ToHashSet();
        if (all.Contains("*/*") && all.Count > 1)
            yield return rule["resources"].Invalid("if '*/*' is present, must not specify other resources");
        else if (all.Contains("*") && all.Any(resource => resource != "*" && !resource.Contains('/')))
            yield return rule["resources"].Invalid("if '*' is present, must not specify other resources without subresources");
    }

    public static IEnumerable<FieldError> Selectors(Field parent) =>
        SelectorRules.Validate(parent["namespaceSelector"]).Concat(SelectorRules.Validate(parent["objectSelector"]));

    public static IEnumerable<FieldError> Conditions(Field conditions, IReadOnlyDictionary<string, CelType>? variables = null)
    {
        // Kubernetes' limit.
        const int MaxConditions = 64;
        if (conditions.Count > MaxConditions)
            yield return new FieldError(FieldErrorKind.TooMany, conditions.Path, $"{conditions.Count}", $"must have at most {MaxConditions} items");
        foreach (var error in Strategies.Rules.Unique(conditions, "name"))
            yield return error;
        foreach (var condition in conditions.Items)
        {
            if (condition["name"].IsBlank)
                yield return condition["name"].Required();
            foreach (var error in Expression(condition["expression"], variables ?? AdmissionExpressions.Variables, CelType.Bool))
                yield return error;
        }
    }

    /// <summary>An expression that must be there and compile.</summary>
    public static IEnumerable<FieldError> Expression(Field field, IReadOnlyDictionary<string, CelType> variables, CelType? result)
    {
        if (string.IsNullOrWhiteSpace(field.Text))
            return [field.Required()];
        return CelProgram.Compile(field.Text, variables, result).Errors.Select(error => field.Invalid($"compilation failed: {error.In(field.Text)}"));
    }
}
