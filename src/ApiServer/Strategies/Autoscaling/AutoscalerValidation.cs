using Weft.Api;

namespace Weft.ApiServer.Strategies.Autoscaling;

/// <summary>The rules of an autoscaler's spec and status (pkg/apis/autoscaling/validation).</summary>
internal static class AutoscalerValidation
{
    // Half an hour of past changes and one hour of past recommendations are what the controller remembers.
    private const int MaxPeriod = 1800, MaxWindow = 3600;

    private static readonly string[] Sources = ["object", "pods", "resource", "containerResource", "external"];

    public static IEnumerable<FieldError> Spec(Field spec)
    {
        var (least, most) = (spec["minReplicas"], spec["maxReplicas"]);
        if (least.Number < 0)
            yield return least.Invalid(Rules.NotNegative);
        if (most.Number < 1)
            yield return most.Invalid("must be greater than 0");
        if (least.Number is { } few && most.Number is { } many && many < few)
            yield return most.Invalid("must be greater than or equal to `minReplicas`");
        // With no pod there is nothing whose CPU could be measured: only what stands outside can bring the first one back.
        if (least.Number == 0 && !spec["metrics"].Items.Any(metric => metric["type"].Text is "Object" or "External"))
            yield return spec["metrics"].Forbidden("must specify at least one Object or External metric to support scaling to zero replicas");
        foreach (var error in Reference(spec["scaleTargetRef"]).Concat(spec["metrics"].Each(Metric)))
            yield return error;
        foreach (var error in Direction(spec["behavior"]["scaleUp"]).Concat(Direction(spec["behavior"]["scaleDown"])))
            yield return error;
    }

    public static IEnumerable<FieldError> Status(Field status) => Rules.AtLeastZero(status["currentReplicas"]).Concat(Rules.AtLeastZero(status["desiredReplicas"]));

    private static IEnumerable<FieldError> Reference(Field reference)
    {
        foreach (var error in Rules.Named(reference["kind"], PathSegment).Concat(Rules.Named(reference["name"], PathSegment)))
            yield return error;
        if (reference["apiVersion"].Text is { Length: > 0 } version && GroupVersionKind.ParseApiVersion(version) is null)
            yield return reference["apiVersion"].Invalid("must be a version, or a group and a version: v1, apps/v1");
    }

    private static IEnumerable<FieldError> Metric(Field metric)
    {
        var type = metric["type"].TextOrEmpty;
        if (type.Length == 0)
        {
            yield return metric["type"].Required("must specify a metric source type");
            yield break;
        }

        var member = char.ToLowerInvariant(type[0]) + type[1..];
        foreach (var other in Sources.Where(other => other != member && metric[other].Exists))
            yield return metric[other].Forbidden("must populate the given metric source only");
        if (!metric[member].Exists)
        {
            yield return metric[member].Required("must populate information for the given metric source");
            yield break;
        }

        foreach (var error in Source(type, metric[member]).Concat(Target(metric[member]["target"])))
            yield return error;
    }

    private static IEnumerable<FieldError> Source(string type, Field source) => type switch
    {
        "Resource" => Named(source["name"], "must specify a resource name").Concat(OfPods(source["target"])),
        "ContainerResource" => Named(source["name"], "must specify a resource name").Concat(Named(source["container"], "must specify a container")).Concat(OfPods(source["target"])),
        "Pods" => Identifier(source["metric"]).Concat(
            source["target"]["averageValue"].Exists ? [] : [source["target"]["averageValue"].Required("must specify a positive target averageValue")]),
        "Object" => Reference(source["describedObject"]).Concat(Identifier(source["metric"])).Concat(
            source["target"]["value"].Exists || source["target"]["averageValue"].Exists ? [] : [source["target"]["averageValue"].Required("must set either a target value or averageValue")]),
        _ => Identifier(source["metric"]).Concat(OfTheOutside(source["target"])),
    };

    private static IEnumerable<FieldError> OfPods(Field target)
    {
        if (!target["averageUtilization"].Exists && !target["averageValue"].Exists)
            yield return target["averageUtilization"].Required("must set either a target raw value or a target utilization");
        if (target["averageUtilization"].Exists && target["averageValue"].Exists)
            yield return target["averageValue"].Forbidden("may not set both a target raw value and a target utilization");
    }

    private static IEnumerable<FieldError> OfTheOutside(Field target)
    {
        if (!target["value"].Exists && !target["averageValue"].Exists)
            yield return target["averageValue"].Required("must set either a target value for metric or a per-pod target");
        if (target["value"].Exists && target["averageValue"].Exists)
            yield return target["value"].Forbidden("may not set both a target value for metric and a per-pod target");
    }

    private static IEnumerable<FieldError> Target(Field target)
    {
        if (target["averageUtilization"].Number < 1)
            yield return target["averageUtilization"].Invalid("must be greater than 0");
        foreach (var amount in (Field[])[target["value"], target["averageValue"]])
        {
            if (amount.Scalar is not { } text)
                continue;
            if (!Quantity.TryParse(text, out var quantity))
                yield return amount.Invalid("must be a quantity: a number with an optional suffix such as m, k, Mi or e3");
            else if (quantity.Sign <= 0)
                yield return amount.Invalid("must be positive");
        }
    }

    private static IEnumerable<FieldError> Identifier(Field metric) =>
        Rules.Named(metric["name"], PathSegment).Concat(SelectorRules.Validate(metric["selector"]));

    private static IEnumerable<FieldError> Named(Field field, string detail) => field.TextOrEmpty.Length == 0 ? [field.Required(detail)] : [];

    private static IEnumerable<FieldError> Direction(Field rules)
    {
        if (!rules.Exists)
            yield break;
        var window = rules["stabilizationWindowSeconds"];
        if (window.Number < 0)
            yield return window.Invalid("must be greater than or equal to zero");
        if (window.Number > MaxWindow)
            yield return window.Invalid($"must be less than or equal to {MaxWindow}");
        if (rules["tolerance"].Scalar is { } tolerance && (!Quantity.TryParse(tolerance, out var share) || share.Sign < 0))
            yield return rules["tolerance"].Invalid("must be a quantity that is not negative, such as 0.05");
        if (rules["policies"].Count == 0)
            yield return rules["policies"].Required("must specify at least one Policy");
        foreach (var error in rules["policies"].Each(Policy))
            yield return error;
    }

    private static IEnumerable<FieldError> Policy(Field policy)
    {
        if (policy["value"].Number < 1)
            yield return policy["value"].Invalid("must be greater than zero");
        if (policy["periodSeconds"].Number < 1)
            yield return policy["periodSeconds"].Invalid("must be greater than zero");
        if (policy["periodSeconds"].Number > MaxPeriod)
            yield return policy["periodSeconds"].Invalid($"must be less than or equal to {MaxPeriod}");
    }

    private static string? PathSegment(string name) =>
        name is "." or ".." ? $"may not be '{name}'" : name.IndexOfAny(['/', '%']) is var at and >= 0 ? $"may not contain '{name[at]}'" : null;
}
