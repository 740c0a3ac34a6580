using Weft.Api.Core;
using Weft.Api.Schemas;

namespace Weft.Api.Batch;

/// <summary>Runs pods until enough of them have succeeded.</summary>
[Kind("batch", "v1", "Job", Categories = ["all"], DefinitionPrefix = "io.k8s.api.batch.v1")]
public sealed record Job : IObject
{
    public string? ApiVersion { get; init; }
    public string? Kind { get; init; }
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public JobSpec Spec { get; init; } = new();

    /// <summary>What was last observed.</summary>
    public JobStatus Status { get; init; } = new();
}

/// <summary>A job to make.</summary>
[Definition("io.k8s.api.batch.v1.JobTemplateSpec")]
public sealed record JobTemplateSpec
{
    /// <summary>Labels and annotations of the job.</summary>
    public ObjectMeta Metadata { get; init; } = new();

    /// <summary>What is wanted.</summary>
    public JobSpec Spec { get; init; } = new();
}

/// <summary>What a job wants.</summary>
[Definition("io.k8s.api.batch.v1.JobSpec")]
public sealed record JobSpec
{
    /// <summary>Pods at the same time. 1 by default.</summary>
    public int? Parallelism { get; init; }

    /// <summary>Successes that finish the job.</summary>
    public int? Completions { get; init; }

    /// <summary>Seconds after which the job fails.</summary>
    public long? ActiveDeadlineSeconds { get; init; }

    /// <summary>Which failures of pods fail the job, count, or do not count.</summary>
    public PodFailurePolicy? PodFailurePolicy { get; init; }

    /// <summary>Which successes finish an indexed job early.</summary>
    public SuccessPolicy? SuccessPolicy { get; init; }

    /// <summary>Failures until the job fails. 6 by default.</summary>
    public int? BackoffLimit { get; init; }

    /// <summary>Failures of one index until it fails.</summary>
    public int? BackoffLimitPerIndex { get; init; }

    /// <summary>Failed indexes until the job fails.</summary>
    public int? MaxFailedIndexes { get; init; }

    /// <summary>Pods of the job; set by the server.</summary>
    public LabelSelector? Selector { get; init; }

    /// <summary>Whether the selector is the user's own.</summary>
    public bool? ManualSelector { get; init; }

    /// <summary>The pod.</summary>
    [Must] public PodTemplateSpec Template { get; init; } = new();

    /// <summary>Seconds until a finished job is deleted.</summary>
    public int? TtlSecondsAfterFinished { get; init; }

    /// <summary>NonIndexed by default; Indexed: each success has a number.</summary>
    [OneOf("Indexed", "NonIndexed"), Immutable] public string? CompletionMode { get; init; }

    /// <summary>Whether no pods are to run for now.</summary>
    public bool? Suspend { get; init; }

    /// <summary>When a pod that ends is replaced.</summary>
    [OneOf("Failed", "TerminatingOrFailed")] public string? PodReplacementPolicy { get; init; }

    /// <summary>Who runs the job, if not the cluster's own controller.</summary>
    [Immutable] public string? ManagedBy { get; init; }
}

/// <summary>Which failures of pods fail the job, count, or do not count.</summary>
[Definition("io.k8s.api.batch.v1.PodFailurePolicy")]
public sealed record PodFailurePolicy
{
    /// <summary>Rules; the first that matches decides.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<PodFailurePolicyRule> Rules { get; init; } = [];
}

/// <summary>What to do about a kind of failure.</summary>
[Definition("io.k8s.api.batch.v1.PodFailurePolicyRule")]
public sealed record PodFailurePolicyRule
{
    /// <summary>What to do.</summary>
    [Must, OneOf("Count", "FailIndex", "FailJob", "Ignore")] public string Action { get; init; } = "";

    /// <summary>Failures by exit code.</summary>
    public PodFailurePolicyOnExitCodesRequirement? OnExitCodes { get; init; }

    /// <summary>Failures by condition of the pod.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<PodFailurePolicyOnPodConditionsPattern> OnPodConditions { get; init; } = [];
}

/// <summary>Failures by exit code.</summary>
[Definition("io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement")]
public sealed record PodFailurePolicyOnExitCodesRequirement
{
    /// <summary>The container; any when absent.</summary>
    public string? ContainerName { get; init; }

    /// <summary>How the codes are compared.</summary>
    [Must, OneOf("In", "NotIn")] public string Operator { get; init; } = "";

    /// <summary>The codes.</summary>
    [Must, List(ListType.Set)] public IReadOnlyList<int> Values { get; init; } = [];
}

/// <summary>Failures by condition of the pod.</summary>
[Definition("io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern")]
public sealed record PodFailurePolicyOnPodConditionsPattern
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>Its status. True by default.</summary>
    public string? Status { get; init; }
}

/// <summary>Which successes finish an indexed job early.</summary>
[Definition("io.k8s.api.batch.v1.SuccessPolicy")]
public sealed record SuccessPolicy
{
    /// <summary>Rules; one that holds finishes the job.</summary>
    [Must, List(ListType.Atomic)] public IReadOnlyList<SuccessPolicyRule> Rules { get; init; } = [];
}

/// <summary>Successes that are enough.</summary>
[Definition("io.k8s.api.batch.v1.SuccessPolicyRule")]
public sealed record SuccessPolicyRule
{
    /// <summary>Indexes that count, as `0,2-4`.</summary>
    public string? SucceededIndexes { get; init; }

    /// <summary>How many of them.</summary>
    public int? SucceededCount { get; init; }
}

/// <summary>What was last observed of a job.</summary>
[Definition("io.k8s.api.batch.v1.JobStatus")]
public sealed record JobStatus
{
    /// <summary>Complete, Failed, Suspended, SuccessCriteriaMet, FailureTarget.</summary>
    [List(ListType.Atomic), Patch(PatchStrategy.Merge, "type")] public IReadOnlyList<JobCondition> Conditions { get; init; } = [];

    /// <summary>When the job was first looked at, or last resumed.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>When it succeeded.</summary>
    public DateTimeOffset? CompletionTime { get; init; }

    /// <summary>Pods that run or wait.</summary>
    public int? Active { get; init; }

    /// <summary>Pods that succeeded.</summary>
    public int? Succeeded { get; init; }

    /// <summary>Pods that failed.</summary>
    public int? Failed { get; init; }

    /// <summary>Pods that are stopping.</summary>
    public int? Terminating { get; init; }

    /// <summary>Indexes that succeeded, as `0,2-4`.</summary>
    public string? CompletedIndexes { get; init; }

    /// <summary>Indexes that failed for good.</summary>
    public string? FailedIndexes { get; init; }

    /// <summary>Ended pods that the counts do not hold yet.</summary>
    public UncountedTerminatedPods? UncountedTerminatedPods { get; init; }

    /// <summary>Ready pods.</summary>
    public int? Ready { get; init; }
}

/// <summary>Ended pods that the counts do not hold yet.</summary>
[Definition("io.k8s.api.batch.v1.UncountedTerminatedPods")]
public sealed record UncountedTerminatedPods
{
    /// <summary>Uids of pods that succeeded.</summary>
    [List(ListType.Set)] public IReadOnlyList<string> Succeeded { get; init; } = [];

    /// <summary>Uids of pods that failed.</summary>
    [List(ListType.Set)] public IReadOnlyList<string> Failed { get; init; } = [];
}

/// <summary>One observed condition of a job.</summary>
[Definition("io.k8s.api.batch.v1.JobCondition")]
public sealed record JobCondition
{
    /// <summary>Name of the condition.</summary>
    [Must] public string Type { get; init; } = "";

    /// <summary>True, False or Unknown.</summary>
    [Must] public string Status { get; init; } = "";

    /// <summary>When it was last looked at.</summary>
    public DateTimeOffset? LastProbeTime { get; init; }

    /// <summary>When the status last changed.</summary>
    public DateTimeOffset? LastTransitionTime { get; init; }

    /// <summary>One word for the last change.</summary>
    public string? Reason { get; init; }

    /// <summary>For people: details of the last change.</summary>
    public string? Message { get; init; }
}
