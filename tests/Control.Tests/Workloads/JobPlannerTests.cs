using Weft.Api;
using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Api.Policy;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Workloads;

public sealed class JobPlannerTests
{
    private static Job Job(Func<JobSpec, JobSpec>? change = null, JobStatus? status = null)
    {
        var spec = new JobSpec
        {
            Completions = 1, Parallelism = 1, BackoffLimit = 2, CompletionMode = "NonIndexed", Selector = Make.Select(), PodReplacementPolicy = "TerminatingOrFailed",
            Template = Make.Template() with { Spec = Make.Template().Spec with { RestartPolicy = "Never" } },
        };
        return new Job
        {
            Metadata = new ObjectMeta { Name = "once", Namespace = "default", Uid = "uid-once", CreationTimestamp = Make.Now },
            Spec = change?.Invoke(spec) ?? spec, Status = status ?? new JobStatus(),
        };
    }

    private static Pod Pod(Job job, string uid, string phase, int? index = null, int exitCode = 0)
    {
        var pod = JobPods.New(job, index);
        return pod with
        {
            Metadata = pod.Metadata with { Name = uid, Uid = uid, CreationTimestamp = Make.Now.AddHours(-2) },
            Status = new PodStatus
            {
                Phase = phase,
                ContainerStatuses = phase is "Succeeded" or "Failed"
                    ? [new ContainerStatus { Name = "main", State = new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = exitCode, FinishedAt = Make.Now.AddHours(-1) } } }]
                    : [],
            },
        };
    }

    private static string? Condition(JobStatus status, string type) => status.Conditions.FirstOrDefault(condition => condition.Type == type && condition.Status == "True")?.Reason;

    /// <summary>Carries out plans as the controller does, until nothing changes; new pods end as the function says.</summary>
    private static (Job Job, int Made) Run(Job job, Func<int, Pod, (string Phase, int Code)> end)
    {
        var (pods, made) = (new List<Pod>(), 0);
        for (var round = 0; round < 200; round++)
        {
            var plan = JobPlanner.Plan(job, pods, Make.Now);
            job = job with { Status = plan.Status };
            foreach (var pod in plan.Untrack)
                pods[pods.FindIndex(one => one.Metadata.Uid == pod.Metadata.Uid)] = pod with { Metadata = pod.Metadata with { Finalizers = [] } };
            pods.RemoveAll(pod => plan.Stop.Any(stopped => stopped.Metadata.Uid == pod.Metadata.Uid));
            foreach (var index in plan.Create)
            {
                var number = made++;
                var fresh = Pod(job, "p" + number, "Running", index);
                var (phase, code) = end(number, fresh);
                pods.Add(Pod(job, "p" + number, phase, index, code));
            }
            if (JobPlanner.IsFinished(job))
                return (job, made);
        }
        return (job, made);
    }

    [Fact]
    public void A_job_counts_each_pod_once_and_ends_with_its_completions()
    {
        var random = Seeded.Random(3);
        for (var round = 0; round < 50; round++)
        {
            var completions = random.Next(1, 12);
            var (job, made) = Run(Job(spec => spec with { Completions = completions, Parallelism = random.Next(1, 5), BackoffLimit = 1000 }),
                (_, _) => random.Next(3) == 0 ? ("Failed", 1) : ("Succeeded", 0));
            Assert.Equal("CompletionsReached", Condition(job.Status, "Complete"));
            Assert.Equal(completions, job.Status.Succeeded);
            Assert.Equal(made, (job.Status.Succeeded ?? 0) + (job.Status.Failed ?? 0));
            Assert.Empty(job.Status.UncountedTerminatedPods!.Succeeded.Concat(job.Status.UncountedTerminatedPods.Failed));
        }
    }

    [Fact]
    public void An_indexed_job_makes_each_index_succeed_once()
    {
        var tried = new Dictionary<int, int>();
        var (job, _) = Run(Job(spec => spec with { Completions = 5, Parallelism = 2, CompletionMode = "Indexed", BackoffLimit = 100 }), (_, pod) =>
        {
            var index = JobPods.IndexOf(pod);
            tried[index] = tried.GetValueOrDefault(index) + 1;
            return index % 2 == 1 && tried[index] == 1 ? ("Failed", 1) : ("Succeeded", 0);
        });
        Assert.Equal(("0-4", 5, 2), (job.Status.CompletedIndexes, job.Status.Succeeded, job.Status.Failed));
        Assert.NotNull(Condition(job.Status, "Complete"));
    }

    [Fact]
    public void A_job_that_fails_too_often_fails()
    {
        var (job, made) = Run(Job(), (_, _) => ("Failed", 1));
        Assert.Equal("BackoffLimitExceeded", Condition(job.Status, "Failed"));
        Assert.Equal((3, 3), (made, job.Status.Failed));
    }

    [Fact]
    public void A_failure_policy_ignores_or_ends_by_exit_code()
    {
        PodFailurePolicy Policy(string action, int code) => new()
        {
            Rules = [new PodFailurePolicyRule { Action = action, OnExitCodes = new PodFailurePolicyOnExitCodesRequirement { Operator = "In", Values = [code] } }],
        };
        var (job, made) = Run(Job(spec => spec with { PodFailurePolicy = Policy("FailJob", 42) }), (_, _) => ("Failed", 42));
        Assert.Equal(("PodFailurePolicy", 1), (Condition(job.Status, "Failed"), made));
        (job, made) = Run(Job(spec => spec with { PodFailurePolicy = Policy("Ignore", 7), BackoffLimit = 0 }), (number, _) => number < 3 ? ("Failed", 7) : ("Succeeded", 0));
        Assert.Equal((4, null), (made, job.Status.Failed));
        Assert.NotNull(Condition(job.Status, "Complete"));
    }

    [Fact]
    public void A_suspended_job_stops_its_pods_and_a_deadline_ends_it()
    {
        var job = Job(spec => spec with { Suspend = true });
        var plan = JobPlanner.Plan(job, [Pod(job, "a", "Running")], Make.Now);
        Assert.Single(plan.Stop);
        Assert.Equal("JobSuspended", Condition(plan.Status, "Suspended"));
        Assert.Null(plan.Status.StartTime);

        job = Job(spec => spec with { ActiveDeadlineSeconds = 60 }, new JobStatus { StartTime = Make.Now.AddSeconds(-61) });
        plan = JobPlanner.Plan(job, [Pod(job, "a", "Running")], Make.Now);
        Assert.Equal("DeadlineExceeded", Condition(plan.Status, "FailureTarget"));
        Assert.Single(plan.Stop);
        job = Job(spec => spec with { ActiveDeadlineSeconds = 60 }, new JobStatus { StartTime = Make.Now.AddSeconds(-50) });
        Assert.Equal(TimeSpan.FromSeconds(10), JobPlanner.Plan(job, [Pod(job, "a", "Running")], Make.Now).LookAgainIn);
    }

    [Fact]
    public void A_finished_job_goes_when_its_time_is_over()
    {
        var ended = new JobStatus { Conditions = [new JobCondition { Type = "Complete", Status = "True", LastTransitionTime = Make.Now.AddSeconds(-10) }] };
        Assert.True(JobPlanner.Plan(Job(spec => spec with { TtlSecondsAfterFinished = 10 }, ended), [], Make.Now).Remove);
        Assert.Equal(TimeSpan.FromSeconds(20), JobPlanner.Plan(Job(spec => spec with { TtlSecondsAfterFinished = 30 }, ended), [], Make.Now).LookAgainIn);
        Assert.False(JobPlanner.Plan(Job(null, ended), [], Make.Now).Remove);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("0", "0")]
    [InlineData("1,2", "1,2")]
    [InlineData("1,2,3,5", "1-3,5")]
    [InlineData("0-2,7", "0-2,7")]
    public void Indexes_are_written_as_Kubernetes_does(string text, string written) => Assert.Equal(written, Indexes.Write(Indexes.Parse(text, 100)));

    private static CronJob Cron(string policy = "Allow", long? deadline = null) => new()
    {
        Metadata = new ObjectMeta { Name = "often", Namespace = "default", Uid = "uid-often", CreationTimestamp = Make.Now.AddDays(-3) },
        Spec = new CronJobSpec { Schedule = "0 * * * *", ConcurrencyPolicy = policy, StartingDeadlineSeconds = deadline, TimeZone = "Etc/UTC" },
    };

    [Fact]
    public void A_cron_job_makes_the_job_of_the_last_missed_time_once()
    {
        var plan = CronJobPlanner.Plan(Cron(), [], Make.Now, TimeZoneInfo.Utc);
        Assert.NotNull(plan.Create);
        Assert.True(plan.Scheduled <= Make.Now && plan.Scheduled > Make.Now.AddHours(-1));
        var made = Cron() with { Status = plan.Status };
        Assert.Null(CronJobPlanner.Plan(made, [plan.Create], Make.Now, TimeZoneInfo.Utc).Create);
        Assert.Null(CronJobPlanner.Plan(Cron(), [plan.Create], Make.Now, TimeZoneInfo.Utc).Create);
        var later = Make.Now.AddHours(1);
        Assert.Equal("JobAlreadyActive", CronJobPlanner.Plan(made with { Spec = made.Spec with { ConcurrencyPolicy = "Forbid" } }, [plan.Create], later, TimeZoneInfo.Utc).News!.Reason);
        Assert.Single(CronJobPlanner.Plan(made with { Spec = made.Spec with { ConcurrencyPolicy = "Replace" } }, [plan.Create], later, TimeZoneInfo.Utc).Replace);
    }

    [Theory]
    [InlineData("2", null, 3, 3, 1)]
    [InlineData("50%", null, 4, 4, 2)]
    [InlineData(null, "1", 3, 3, 1)]
    [InlineData(null, "1", 3, 2, 0)]
    [InlineData(null, "0", 3, 3, 0)]
    public void A_budget_lets_as_many_go_as_are_healthy_beyond_what_must_stay(string? least, string? missing, int wanted, int healthy, int allowed)
    {
        static IntOrString? Amount(string? text) => text is null ? null : int.TryParse(text, out var number) ? number : text;
        var budget = new PodDisruptionBudget { Spec = new PodDisruptionBudgetSpec { MinAvailable = Amount(least), MaxUnavailable = Amount(missing) } };
        var pods = Enumerable.Range(0, wanted).Select(i => Make.Pod("p" + i, ready: i < healthy)).ToList();
        var (status, _) = BudgetPlanner.Plan(budget, pods, wanted, Make.Now);
        Assert.Equal((allowed, healthy), (status.DisruptionsAllowed, status.CurrentHealthy));
        var going = budget with { Status = status with { DisruptedPods = new Dictionary<string, DateTimeOffset> { ["p0"] = Make.Now } } };
        Assert.Equal(Math.Max(0, allowed - 1), BudgetPlanner.Plan(going, pods, wanted, Make.Now).Status.DisruptionsAllowed);
    }
}
