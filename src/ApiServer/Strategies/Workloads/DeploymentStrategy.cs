using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Workloads;

internal sealed class DeploymentStrategy : DefaultStrategy
{
    public override void Default(JsonObject tree)
    {
        if (WorkloadSpec.Default(tree) is not { } spec)
            return;
        spec.Default("revisionHistoryLimit", 10);
        spec.Default("progressDeadlineSeconds", 600);
        if (spec.Ensure("strategy") is not { } strategy)
            return;
        strategy.Default("type", "RollingUpdate");
        if (strategy.TextAt("type") != "RollingUpdate" || strategy.Ensure("rollingUpdate") is not { } rolling)
            return;
        rolling.Default("maxUnavailable", "25%");
        rolling.Default("maxSurge", "25%");
    }

    public override IEnumerable<string> Warnings(JsonObject tree, JsonObject? old) => WorkloadSpec.Warnings(tree, old);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        foreach (var error in WorkloadSpec.Validate(spec, "deployment")
            .Concat(Rules.AtLeastZero(spec["revisionHistoryLimit"]))
            .Concat(Rules.AtLeastZero(spec["progressDeadlineSeconds"]))
            .Concat(Strategy(spec["strategy"])))
            yield return error;
        if (spec["progressDeadlineSeconds"].Number is { } deadline && deadline <= (spec["minReadySeconds"].Number ?? 0))
            yield return spec["progressDeadlineSeconds"].Invalid("must be greater than minReadySeconds");
    }

    private static IEnumerable<FieldError> Strategy(Field strategy)
    {
        var rolling = strategy["rollingUpdate"];
        if (strategy["type"].Text == "Recreate" && rolling.Exists)
            yield return rolling.Forbidden("may not be specified when strategy `type` is 'Recreate'");
        if (strategy["type"].Text != "RollingUpdate")
            yield break;

        foreach (var field in (Field[])[rolling["maxUnavailable"], rolling["maxSurge"]])
        {
            if (field.Text is { } text && Percent(text) is null)
                yield return field.Invalid("a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%' or '93%')");
            else if (Amount(field) < 0)
                yield return field.Invalid(Rules.NotNegative);
        }
        if (rolling["maxUnavailable"].Text is { } share && Percent(share) > 100)
            yield return rolling["maxUnavailable"].Invalid("must not be greater than 100%");
        // With neither room above nor below no pod could ever be replaced.
        if (Amount(rolling["maxUnavailable"]) == 0 && Amount(rolling["maxSurge"]) == 0)
            yield return rolling["maxUnavailable"].Invalid("may not be 0 when `maxSurge` is 0");
    }

    private static long? Amount(Field field) => field.Text is { } text ? Percent(text) : field.Number;

    private static long? Percent(string text) =>
        text.EndsWith('%') && long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? percent : null;
}
