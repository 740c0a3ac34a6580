using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Cluster;

internal sealed class LimitRangeStrategy : DefaultStrategy
{
    private static readonly string[] Bounds = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        foreach (var item in tree.Object("spec").Objects("limits"))
        {
            foreach (var bound in Bounds)
                item.CanonicalQuantities(bound);
            if (item.TextAt("type") != "Container")
                continue;
            // What a container may have at most is its limit when it states none, and that its request.
            Inherit(item, "default", "max");
            Inherit(item, "defaultRequest", "default");
            Inherit(item, "defaultRequest", "min");
        }
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        foreach (var item in root["spec"]["limits"].Items)
        {
            foreach (var error in Bounds.SelectMany(bound => item[bound].Entries.SelectMany(entry => Rules.Quantity(entry.Field))))
                yield return error;
            if (item["type"].Text == "Pod" && (item["default"].Count > 0 || item["defaultRequest"].Count > 0))
                yield return item["default"].Forbidden("may not be specified when `type` is 'Pod'");
            if (item["type"].Text == "PersistentVolumeClaim" && !item["min"]["storage"].Exists && !item["max"]["storage"].Exists)
                yield return item.Required("either minimum or maximum storage value is required, but neither was provided");
            foreach (var (low, high) in ((string, string)[])[("min", "max"), ("min", "default"), ("default", "max"), ("min", "defaultRequest"), ("defaultRequest", "max"), ("defaultRequest", "default")])
            {
                foreach (var (name, field) in item[low].Entries)
                {
                    if (Quantity.TryParse(field.Scalar, out var least) && Quantity.TryParse(item[high][name].Scalar, out var most) && least > most)
                        yield return field.Invalid($"{low} value {least} is greater than {high} value {most}");
                }
            }
        }
    }

    private static void Inherit(JsonObject item, string to, string from)
    {
        if (item.Object(from) is not { } source || item.Ensure(to) is not { } target)
            return;
        foreach (var (name, value) in source)
        {
            if (target[name] is null)
                target[name] = value?.DeepClone();
        }
    }
}
