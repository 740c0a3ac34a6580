using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Batch;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Batch;

internal sealed class CronJobStrategy : DefaultStrategy
{
    // The names of its jobs end in the time, and are labels of pods: 63 - 11.
    private const int LongestName = 52;

    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return;
        spec.Default("concurrencyPolicy", "Allow");
        spec.Default("suspend", false);
        spec.Default("successfulJobsHistoryLimit", 3);
        spec.Default("failedJobsHistoryLimit", 1);
        if (spec.Object("jobTemplate")?.Ensure("spec")?.Object("template")?.Ensure("spec") is { } pod)
            Pods.PodDefaults.Spec(pod);
    }

    protected override string? NameRule(string name) => NameRules.DnsSubdomain(name) ?? (name.Length > LongestName ? NameRules.TooLong(LongestName) : null);

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        if (context.Subresource == "status")
            yield break;
        var spec = root["spec"];
        var schedule = spec["schedule"];
        if (schedule.IsBlank)
            yield return schedule.Required();
        else if (schedule.Text is { } text)
        {
            if (text.Contains("TZ=", StringComparison.Ordinal))
                yield return schedule.Invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
            else if (!CronSchedule.TryParse(text, out _, out var problem))
                yield return schedule.Invalid(problem);
        }
        if (spec["timeZone"].Text is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
            yield return spec["timeZone"].Invalid($"unknown time zone {zone}");
        foreach (var error in Rules.AtLeastZero(spec["startingDeadlineSeconds"])
            .Concat(Rules.AtLeastZero(spec["successfulJobsHistoryLimit"]))
            .Concat(Rules.AtLeastZero(spec["failedJobsHistoryLimit"]))
            .Concat(JobSpecRules.Validate(spec["jobTemplate"]["spec"])))
            yield return error;
    }
}
