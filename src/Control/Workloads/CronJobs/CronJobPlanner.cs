using System.Collections.Immutable;
using System.Globalization;
using Weft.Api;
using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <param name="Create">The job that is due; null for none.</param>
/// <param name="Scheduled">Its time.</param>
/// <param name="Replace">Jobs that the new one takes the place of.</param>
/// <param name="Forget">Finished jobs beyond the history.</param>
public sealed record CronJobPlan(
    Job? Create, DateTimeOffset? Scheduled, ImmutableArray<Job> Replace, ImmutableArray<Job> Forget, CronJobStatus Status, TimeSpan? LookAgainIn, JobNews? News);

/// <summary>Whether a cron job's time has come. Pure.</summary>
public static class CronJobPlanner
{
    private const string ScheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

    // Looking back from now in wider and wider windows, so that a minutely job that slept for a year is not stepped through minute by minute.
    private static readonly TimeSpan[] Windows = [TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(32), TimeSpan.FromDays(400)];

    public static CronJobPlan Plan(CronJob cron, IReadOnlyList<Job> jobs, DateTimeOffset now, TimeZoneInfo localZone)
    {
        var active = jobs.Where(job => !JobPlanner.IsFinished(job)).OrderBy(job => job.Metadata.Name, StringComparer.Ordinal).ToList();
        var forget = Forget(cron, jobs);
        var succeeded = jobs.Where(job => job.Status.Conditions.Any(condition => condition is { Type: "Complete", Status: "True" })).Select(job => job.Status.CompletionTime).Max();
        var status = cron.Status with
        {
            Active = [.. active.Select(job => job.Reference())],
            LastSuccessfulTime = succeeded is null || succeeded < cron.Status.LastSuccessfulTime ? cron.Status.LastSuccessfulTime : succeeded,
        };
        CronJobPlan Nothing(TimeSpan? again, JobNews? news = null) => new(null, null, [], forget, status, again, news);

        if (cron.Spec.Suspend == true || cron.IsTerminating())
            return Nothing(null);
        if (!CronSchedule.TryParse(cron.Spec.Schedule, out var schedule, out var problem))
            return Nothing(null, new JobNews("Warning", "UnparseableSchedule", $"unparseable schedule: {cron.Spec.Schedule} : {problem}"));
        var zone = localZone;
        if (cron.Spec.TimeZone is { } name && !TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone!))
            return Nothing(null, new JobNews("Warning", "UnknownTimeZone", $"invalid timeZone: {name}"));

        // A moment later, so that the clock is surely past it.
        var again = schedule.Next(now, zone) is { } next ? next - now + TimeSpan.FromMilliseconds(100) : (TimeSpan?)null;
        var earliest = cron.Status.LastScheduleTime ?? cron.Metadata.CreationTimestamp ?? now;
        var deadline = cron.Spec.StartingDeadlineSeconds;
        if (Latest(schedule, zone, earliest, now) is not { } due)
            return Nothing(again);
        if (deadline is { } seconds && due.AddSeconds(seconds) < now)
            return Nothing(again, new JobNews("Warning", "MissSchedule", $"Missed scheduled time to start a job: {due:R}"));

        var job = NewJob(cron, due);
        if (jobs.Any(one => one.Metadata.Name == job.Metadata.Name))
            return Nothing(again) with { Status = status with { LastScheduleTime = due } };
        if (cron.Spec.ConcurrencyPolicy == "Forbid" && active.Count > 0)
            return Nothing(again, new JobNews("Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid"));
        return new CronJobPlan(job, due, cron.Spec.ConcurrencyPolicy == "Replace" ? [.. active] : [], forget, status with { LastScheduleTime = due }, again, null);
    }

    /// <summary>The last time of the schedule after <paramref name="earliest"/> that is not in the future.</summary>
    private static DateTimeOffset? Latest(CronSchedule schedule, TimeZoneInfo zone, DateTimeOffset earliest, DateTimeOffset now)
    {
        foreach (var window in Windows)
        {
            var from = now - window > earliest ? now - window : earliest;
            DateTimeOffset? latest = null;
            for (var time = schedule.Next(from, zone); time is { } found && found <= now; time = schedule.Next(found, zone))
                latest = found;
            if (latest is not null || from == earliest)
                return latest;
        }
        return null;
    }

    private static Job NewJob(CronJob cron, DateTimeOffset due)
    {
        var template = cron.Spec.JobTemplate;
        return new Job
        {
            Metadata = new ObjectMeta
            {
                // The minute names the job, so that the same time never makes two.
                Name = string.Create(CultureInfo.InvariantCulture, $"{cron.Metadata.Name}-{due.ToUnixTimeSeconds() / 60}"),
                Namespace = cron.Metadata.Namespace,
                Labels = template.Metadata.Labels,
                Annotations = new Dictionary<string, string>(template.Metadata.Annotations)
                {
                    [ScheduledAnnotation] = due.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                },
                OwnerReferences = [cron.AsController()],
            },
            Spec = template.Spec,
        };
    }

    private static ImmutableArray<Job> Forget(CronJob cron, IReadOnlyList<Job> jobs)
    {
        return [.. Beyond("Complete", cron.Spec.SuccessfulJobsHistoryLimit ?? 3), .. Beyond("Failed", cron.Spec.FailedJobsHistoryLimit ?? 1)];

        IEnumerable<Job> Beyond(string end, int limit)
        {
            var ended = jobs.Where(job => !job.IsTerminating() && job.Status.Conditions.Any(condition => condition.Type == end && condition.Status == "True"))
                .OrderBy(job => job.Status.StartTime ?? job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal).ToList();
            return ended.Take(Math.Max(0, ended.Count - limit));
        }
    }
}
