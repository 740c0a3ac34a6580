using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Batch;

/// <summary>Makes a job at given times.</summary>
[Kind("batch", "v1", "CronJob", ShortNames = ["cj"], Categories = ["all"], DefinitionPrefix = "io.k8s.api.batch.v1")]
public sealed record CronJob : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public CronJobSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public CronJobStatus Status { get; init; } = new();
}

/// <summary>What a cron job wants.</summary>
[Definition("io.k8s.api.batch.v1.CronJobSpec")]
public sealed record CronJobSpec
{
    /// <summary>The times, in the five fields of cron or as `@hourly`.</summary>
    [Must] public string Schedule { get; init; } = "";

    /// <summary>Name of the time zone; the machine's own when absent.</summary>
    public string? TimeZone { get; init; }

    /// <summary>Seconds that a job may start late.</summary>
    public long? StartingDeadlineSeconds { get; init; }

    /// <summary>What to do when the last job still runs. Allow by default.</summary>
    [OneOf("Allow", "Forbid", "Replace")] public string? ConcurrencyPolicy { get; init; }

    /// <summary>Whether no jobs are to be made for now.</summary>
    public bool? Suspend { get; init; }

    /// <summary>The job.</summary>
    [Must] public JobTemplateSpec JobTemplate { get; init; } = new();

    /// <summary>Succeeded jobs to keep. 3 by default.</summary>
    public int? SuccessfulJobsHistoryLimit { get; init; }

    /// <summary>Failed jobs to keep. 1 by default.</summary>
    public int? FailedJobsHistoryLimit { get; init; }
}

/// <summary>What was last observed of a cron job.</summary>
[Definition("io.k8s.api.batch.v1.CronJobStatus")]
public sealed record CronJobStatus
{
    /// <summary>Jobs that run.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<ObjectReference> Active { get; init; } = [];

    /// <summary>Time of the last job.</summary>
    public DateTimeOffset? LastScheduleTime { get; init; }

    /// <summary>When a job last succeeded.</summary>
    public DateTimeOffset? LastSuccessfulTime { get; init; }
}
