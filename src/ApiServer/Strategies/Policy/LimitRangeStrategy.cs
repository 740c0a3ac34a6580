using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Quotas;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Pods;

namespace Weft.ApiServer.Strategies.Policy;

internal sealed class LimitRangeStrategy : DefaultStrategy
{
    private static readonly string[] Maps = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

    public override bool HasStatus => false;

    // A container's default limit is the most it may have, its default request that limit, or the least that it must ask for.
    public override void Default(JsonObject tree)
    {
        foreach (var item in tree.Object("spec").Objects("limits"))
        {
            foreach (var map in Maps)
                item.CanonicalQuantities(map);
            if (item.TextAt("type") != LimitRangeRules.Container)
                continue;
            Fill(item, "default", "max");
            Fill(item, "defaultRequest", "default");
            Fill(item, "defaultRequest", "min");
        }
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var types = new HashSet<string>();
        foreach (var item in root["spec"]["limits"].Items)
        {
            var type = item["type"];
            if (NameRules.QualifiedName(type.TextOrEmpty) is { } wrong)
                yield return type.Invalid(wrong);
            if (!types.Add(type.TextOrEmpty))
                yield return type.Duplicate();
            foreach (var error in Item(item, type.TextOrEmpty))
                yield return error;
        }
    }

    private static IEnumerable<FieldError> Item(Field item, string type)
    {
        foreach (var map in Maps)
        {
            foreach (var (name, amount) in item[map].Entries)
            {
                if (ResourceValidation.NameErrorOf(name, type == LimitRangeRules.Claim) is { } wrong)
                    yield return FieldError.Invalid(amount.Path, Field.Show(name), wrong);
                foreach (var error in Rules.Quantity(amount))
                    yield return error;
            }
        }
        if (type == LimitRangeRules.Pod)
        {
            foreach (var map in (string[])["default", "defaultRequest"])
            {
                if (item[map].Count > 0)
                    yield return item[map].Forbidden("may not be specified when `type` is 'Pod'");
            }
        }
        if (type == LimitRangeRules.Claim && !item["min"].At("storage").Exists && !item["max"].At("storage").Exists)
            yield return item.Required("either minimum or maximum storage value is required, but neither was provided");

        // Each must not be more than those after it.
        string[] order = ["min", "defaultRequest", "default", "max"];
        foreach (var name in order.SelectMany(map => item[map].Entries.Select(e => e.Key)).Distinct(StringComparer.Ordinal))
        {
            for (var i = 0; i < order.Length; i++)
            {
                for (var j = i + 1; j < order.Length; j++)
                {
                    if (Amount(item[order[i]].At(name)) is { } less && Amount(item[order[j]].At(name)) is { } more && less > more)
                        yield return FieldError.Invalid(item[order[i]].At(name).Path, item[order[i]].At(name).Shown, $"{Words(order[i])} value {less} is greater than {Words(order[j])} value {more}");
                }
            }
        }

        foreach (var (name, ratio) in item["maxLimitRequestRatio"].Entries)
        {
            if (Amount(ratio) is not { } most)
                continue;
            if (most < Quantity.FromUnits(1))
                yield return ratio.Invalid($"ratio {most} is less than 1");
            else if (Amount(item["min"].At(name)) is { IsZero: false } min && Amount(item["max"].At(name)) is { } max && (double)max.Milli / min.Milli is var possible && most.Milli / 1000.0 > possible)
                yield return ratio.Invalid(FormattableString.Invariant($"ratio {most} is greater than max/min = {possible:F6}"));
        }
    }

    private static string Words(string map) => map == "defaultRequest" ? "default request" : map;

    private static Quantity? Amount(Field field) => Quantity.TryParse(field.Scalar, out var amount) ? amount : null;

    private static void Fill(JsonObject item, string map, string from)
    {
        if (item.Object(from) is not { Count: > 0 } source || item.Ensure(map) is not { } target)
            return;
        foreach (var (name, amount) in source)
        {
            if (target[name] is null && amount is not null)
                target[name] = amount.DeepClone();
        }
    }
}
