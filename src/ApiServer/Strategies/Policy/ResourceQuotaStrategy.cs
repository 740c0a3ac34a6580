using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Quotas;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Policy;

internal sealed class ResourceQuotaStrategy : DefaultStrategy
{
    private static readonly string[] Operators = ["DoesNotExist", "Exists", "In", "NotIn"];

    // Quotas of pods without requests can only count them.
    private static readonly string[] OfBestEffort = ["pods"];

    public override void Default(JsonObject tree)
    {
        tree.Object("spec").CanonicalQuantities("hard");
        tree.Object("status").CanonicalQuantities("hard");
        tree.Object("status").CanonicalQuantities("used");
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            return Amounts(root["status"]["hard"]).Concat(Amounts(root["status"]["used"]));
        var spec = root["spec"];
        var errors = Amounts(spec["hard"]).Concat(Scopes(spec));
        if (old is not null)
        {
            foreach (var member in (string[])["scopes", "scopeSelector"])
            {
                if (!JsonNode.DeepEquals(spec[member].Value, old["spec"][member].Value))
                    errors = errors.Append(spec[member].Invalid("field is immutable"));
            }
        }
        return errors;
    }

    private static IEnumerable<FieldError> Amounts(Field map)
    {
        foreach (var (name, amount) in map.Entries)
        {
            if (NameError(name) is { } wrong)
                yield return FieldError.Invalid(amount.Path, Field.Show(name), wrong);
            foreach (var error in Rules.Quantity(amount))
                yield return error;
            if (IsCount(name) && Quantity.TryParse(amount.Scalar, out var value) && !value.IsWhole)
                yield return amount.Invalid("must be an integer");
        }
    }

    private static bool IsCount(string name) => name == "pods" || name.StartsWith("count/", StringComparison.Ordinal) || name.StartsWith("services", StringComparison.Ordinal)
        || name is "replicationcontrollers" or "resourcequotas" or "secrets" or "configmaps" or "persistentvolumeclaims" || name.EndsWith("/persistentvolumeclaims", StringComparison.Ordinal);

    private static string? NameError(string name)
    {
        if (name.StartsWith("count/", StringComparison.Ordinal))
            return NameRules.DnsSubdomain(name[6..]);
        if (NameRules.QualifiedName(name) is { } wrong)
            return wrong;
        return name.Contains('/') || IsCount(name) || QuotaUsage.IsCompute(name) || name == "requests.storage" || name.Contains("hugepages-", StringComparison.Ordinal)
            ? null : "must be a standard resource for quota";
    }

    private static IEnumerable<FieldError> Scopes(Field spec)
    {
        var named = new List<(Field At, string Scope)>();
        foreach (var scope in spec["scopes"].Items)
            named.Add((scope, scope.TextOrEmpty));
        foreach (var expression in spec["scopeSelector"]["matchExpressions"].Items)
        {
            named.Add((expression["scopeName"], expression["scopeName"].TextOrEmpty));
            foreach (var error in Expression(expression))
                yield return error;
        }

        foreach (var (at, scope) in named)
        {
            if (!QuotaScopes.All.Contains(scope))
                yield return at.Unsupported(QuotaScopes.All);
            var others = spec["hard"].Entries.Select(e => e.Key).Where(name => QuotaUsage.KindOf(name) != ("", "pods") || scope == QuotaScopes.BestEffort && !OfBestEffort.Contains(name)).ToList();
            if (others.Count > 0)
                yield return at.Invalid("unsupported scope applied to resource");
        }
        foreach (var (one, other) in ((string, string)[])[(QuotaScopes.BestEffort, QuotaScopes.NotBestEffort), (QuotaScopes.Terminating, QuotaScopes.NotTerminating)])
        {
            if (spec["scopes"].Items.Select(s => s.Text).ToList() is var all && all.Contains(one) && all.Contains(other))
                yield return spec["scopes"].Invalid("conflicting scopes");
        }
    }

    private static IEnumerable<FieldError> Expression(Field expression)
    {
        var (scope, operation, values) = (expression["scopeName"].Text, expression["operator"], expression["values"]);
        if (!Operators.Contains(operation.Text))
            yield return operation.Unsupported(Operators);
        else if (scope != QuotaScopes.PriorityClass && operation.Text != "Exists")
            yield return operation.Invalid("must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
        if (operation.Text is "In" or "NotIn" && values.Count == 0)
            yield return values.Required("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
        if (operation.Text is "Exists" or "DoesNotExist" && values.Count > 0)
            yield return values.Invalid("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    }
}
