using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <param name="Status">To be written first: a pod that has ended is noted before its finalizer goes, so that it is counted once whatever ends in between.</param>
/// <param name="Untrack">Pods that are noted or need not be: their finalizer goes.</param>
/// <param name="Stop">Pods that the job takes away itself; they are no failures.</param>
/// <param name="Create">One for each pod to make: its index, or null.</param>
/// <param name="Remove">The finished job has been kept long enough.</param>
public sealed record JobPlan(
    JobStatus Status, ImmutableArray<Pod> Untrack, ImmutableArray<Pod> Stop, ImmutableArray<int?> Create, bool Remove, TimeSpan? LookAgainIn, JobNews? News);

/// <summary>What a user should see as an event.</summary>
public sealed record JobNews(string Type, string Reason, string Message);

/// <summary>How many pods of a job have succeeded and failed, whether that ends it, and which pods it needs. Pure.</summary>
public static class JobPlanner
{
    // Kubernetes' delays between failures.
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(10);
    private const int BurstLimit = 500;

    public static JobPlan Plan(Job job, IReadOnlyList<Pod> pods, DateTimeOffset now) => new Look(job, pods, now).Plan();

    public static bool IsFinished(Job job) => job.Status.Conditions.Any(condition => condition is { Type: "Complete" or "Failed", Status: "True" });

    private sealed class Look
    {
        private readonly Job _job;
        private readonly DateTimeOffset _now;
        private readonly IReadOnlyList<Pod> _pods;
        private readonly List<JobCondition> _conditions;
        private readonly List<Pod> _untrack = [];
        private readonly List<Pod> _active;
        private readonly bool _indexed;
        private readonly int? _completions;
        private readonly SortedSet<int> _succeededIndexes;
        private readonly SortedSet<int> _failedIndexes;
        private readonly List<string> _noteSucceeded = [];
        private readonly List<string> _noteFailed = [];
        private int _succeeded;
        private int _failed;
        private (string Reason, string Message)? _policyFailure;
        private JobNews? _news;
        private TimeSpan? _again;

        public Look(Job job, IReadOnlyList<Pod> pods, DateTimeOffset now)
        {
            (_job, _pods, _now) = (job, pods, now);
            _conditions = [.. job.Status.Conditions];
            _indexed = job.Spec.CompletionMode == "Indexed";
            _completions = job.Spec.Completions;
            _succeededIndexes = Indexes.Parse(job.Status.CompletedIndexes, _completions ?? 0);
            _failedIndexes = Indexes.Parse(job.Status.FailedIndexes, _completions ?? 0);
            _active = [.. pods.Where(pod => pod.IsActive())];
            (_succeeded, _failed) = (job.Status.Succeeded ?? 0, job.Status.Failed ?? 0);
        }

        public JobPlan Plan()
        {
            if (IsFinished(_job))
                return Finished();
            Count();
            var suspended = _job.Spec.Suspend == true;
            DateTimeOffset? start = suspended ? null : _job.Status.StartTime ?? _now;
            var stop = new List<Pod>();
            var create = new List<int?>();

            if (Verdict(start) is { } verdict)
            {
                stop.AddRange(_active);
                Conclude(verdict);
            }
            else if (suspended)
            {
                stop.AddRange(_active);
                Suspend(true);
            }
            else
            {
                Suspend(false);
                Size(stop, create);
            }

            var ended = _conditions.Find(condition => condition is { Type: "Complete", Status: "True" });
            var status = _job.Status with
            {
                StartTime = start,
                CompletionTime = ended is null ? null : _now,
                Succeeded = OrAbsent(_succeeded),
                Failed = OrAbsent(_failed),
                Active = OrAbsent(_active.Count - stop.Count),
                Ready = _active.Except(stop).Count(pod => pod.IsReady()),
                Terminating = _pods.Count(pod => pod.IsTerminating() && !pod.IsFinished()),
                CompletedIndexes = _indexed && _succeededIndexes.Count > 0 ? Indexes.Write(_succeededIndexes) : null,
                FailedIndexes = _job.Spec.BackoffLimitPerIndex is not null ? Indexes.Write(_failedIndexes) : null,
                UncountedTerminatedPods = new UncountedTerminatedPods { Succeeded = _noteSucceeded, Failed = _noteFailed },
                Conditions = _conditions,
            };
            return new JobPlan(status, [.. _untrack], [.. stop], [.. create], false, _again, _news);
        }

        private JobPlan Finished()
        {
            // Pods that are still held belong to a job that has ended: nothing of them counts any more.
            var untrack = _pods.Where(JobPods.IsTracked).ToImmutableArray();
            if (_job.Spec.TtlSecondsAfterFinished is not { } seconds)
                return new JobPlan(_job.Status, untrack, [.. _active], [], false, null, null);
            var finished = _job.Status.Conditions.First(condition => condition is { Type: "Complete" or "Failed", Status: "True" }).LastTransitionTime ?? _now;
            var left = finished.AddSeconds(seconds) - _now;
            return new JobPlan(_job.Status, untrack, [.. _active], [], left <= TimeSpan.Zero, left > TimeSpan.Zero ? left : null, null);
        }

        // A pod that has ended is noted by uid, then set free, then counted: each step is written before the next.
        private void Count()
        {
            var noted = _job.Status.UncountedTerminatedPods ?? new UncountedTerminatedPods();
            var held = _pods.Where(JobPods.IsTracked).ToDictionary(pod => pod.Metadata.Uid ?? "");
            Settle(noted.Succeeded, _noteSucceeded, ref _succeeded);
            Settle(noted.Failed, _noteFailed, ref _failed);
            foreach (var (uid, pod) in held)
            {
                if (_noteSucceeded.Contains(uid) || _noteFailed.Contains(uid))
                    _untrack.Add(pod);
                else if (pod.Status.Phase == "Succeeded")
                    Note(pod, uid, _noteSucceeded);
                else if (pod.Status.Phase == "Failed" || pod.IsTerminating() && _job.Spec.PodReplacementPolicy != "Failed")
                    NoteFailure(pod, uid);
            }
            if (_indexed)
                _succeeded = _succeededIndexes.Count; // however many pods an index took

            void Settle(IReadOnlyList<string> before, List<string> notes, ref int counter)
            {
                foreach (var uid in before)
                {
                    if (held.ContainsKey(uid))
                        notes.Add(uid);
                    else
                        counter++;
                }
            }
        }

        private void Note(Pod pod, string uid, List<string> notes)
        {
            notes.Add(uid);
            _untrack.Add(pod);
            if (notes == _noteSucceeded && _indexed && JobPods.IndexOf(pod) is >= 0 and var index && index < _completions)
                _succeededIndexes.Add(index);
        }

        private void NoteFailure(Pod pod, string uid)
        {
            var (action, why) = FailurePolicy.Judge(_job, pod);
            if (action == "Ignore")
            {
                _untrack.Add(pod);
                return;
            }
            if (action == "FailJob")
                _policyFailure ??= ("PodFailurePolicy", why);
            Note(pod, uid, _noteFailed);
            if (JobPods.IndexOf(pod) is not (>= 0 and var index))
                return;
            var failures = _pods.Count(other => JobPods.IndexOf(other) == index && other.Status.Phase == "Failed");
            if (action == "FailIndex" || _job.Spec.BackoffLimitPerIndex is { } most && failures > most)
                _failedIndexes.Add(index);
        }

        private (bool Succeeded, string Reason, string Message)? Verdict(DateTimeOffset? start)
        {
            if (_conditions.Find(condition => condition is { Type: "FailureTarget", Status: "True" }) is { } failing)
                return (false, failing.Reason ?? "", failing.Message ?? "");
            if (_conditions.Find(condition => condition is { Type: "SuccessCriteriaMet", Status: "True" }) is { } met)
                return (true, met.Reason ?? "", met.Message ?? "");
            if (_policyFailure is { } policy)
                return (false, policy.Reason, policy.Message);

            var failures = _failed + _noteFailed.Count;
            var restarts = _job.Spec.Template.Spec.RestartPolicy == "OnFailure" ? _active.Sum(pod => pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses).Sum(one => one.RestartCount)) : 0;
            var limit = _job.Spec.BackoffLimit ?? 6;
            if (failures > limit || restarts > 0 && restarts >= limit)
                return (false, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
            if (start is { } from && _job.Spec.ActiveDeadlineSeconds is { } seconds)
            {
                var left = from.AddSeconds(seconds) - _now;
                if (left <= TimeSpan.Zero)
                    return (false, "DeadlineExceeded", "Job was active longer than specified deadline");
                Again(left);
            }
            if (_job.Spec.MaxFailedIndexes is { } mostIndexes && _failedIndexes.Count > mostIndexes)
                return (false, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
            return Success();
        }

        private (bool, string, string)? Success()
        {
            foreach (var rule in _job.Spec.SuccessPolicy?.Rules ?? [])
            {
                var wanted = rule.SucceededIndexes is null ? _succeededIndexes : Indexes.Parse(rule.SucceededIndexes, _completions ?? 0);
                var done = wanted.Count(_succeededIndexes.Contains);
                if (done >= (rule.SucceededCount ?? wanted.Count) && done > 0)
                    return (true, "SuccessPolicy", "Matched rules at index 0");
            }

            var succeeded = _indexed ? _succeededIndexes.Count : _succeeded + _noteSucceeded.Count;
            if (_completions is not { } all)
                return succeeded > 0 && _active.Count == 0 ? (true, "CompletionsReached", "Reached expected number of succeeded pods") : null;
            if (_indexed && _failedIndexes.Count > 0 && succeeded + _failedIndexes.Count >= all && _active.Count == 0)
                return (false, "FailedIndexes", "Job has failed indexes");
            return succeeded >= all ? (true, "CompletionsReached", "Reached expected number of succeeded pods") : null;
        }

        // The end is said when nothing of the job runs any more; before that, that it is coming.
        private void Conclude((bool Succeeded, string Reason, string Message) verdict)
        {
            Set(verdict.Succeeded ? "SuccessCriteriaMet" : "FailureTarget", "True", verdict.Reason, verdict.Message);
            var pending = _noteSucceeded.Count + _noteFailed.Count > 0 || _pods.Any(pod => !pod.IsFinished());
            if (pending)
                return;
            Set(verdict.Succeeded ? "Complete" : "Failed", "True", verdict.Reason, verdict.Message);
            _news = verdict.Succeeded ? new JobNews("Normal", "Completed", "Job completed") : new JobNews("Warning", verdict.Reason, verdict.Message);
        }

        private void Suspend(bool suspended)
        {
            var before = _conditions.Find(condition => condition.Type == "Suspended");
            if (before is null && !suspended || before?.Status == (suspended ? "True" : "False"))
                return;
            Set("Suspended", suspended ? "True" : "False", suspended ? "JobSuspended" : "JobResumed", suspended ? "Job suspended" : "Job resumed");
            _news = new JobNews("Normal", suspended ? "Suspended" : "Resumed", suspended ? "Job suspended" : "Job resumed");
        }

        private void Size(List<Pod> stop, List<int?> create)
        {
            var parallelism = _job.Spec.Parallelism ?? 1;
            var succeeded = _indexed ? _succeededIndexes.Count : _succeeded + _noteSucceeded.Count;
            var wanted = _completions is { } all
                ? Math.Min(parallelism, all - succeeded - _failedIndexes.Count)
                : succeeded > 0 ? Math.Min(parallelism, _active.Count) : parallelism;
            if (_active.Count > wanted)
            {
                stop.AddRange(_active.Order(new DeletionRank(new Dictionary<string, int>(), _now)).Take(_active.Count - Math.Max(0, wanted)));
                return;
            }

            // With the policy Failed a pod is replaced when it has ended, not when it begins to.
            var stopping = _job.Spec.PodReplacementPolicy == "Failed" ? _pods.Count(pod => pod.IsTerminating() && !pod.IsFinished()) : 0;
            var missing = Math.Min(wanted - _active.Count - stopping, BurstLimit);
            if (missing <= 0 || Delay() is { } delay && Again(delay))
                return;
            if (!_indexed)
            {
                create.AddRange(Enumerable.Repeat<int?>(null, missing));
                return;
            }

            var busy = _pods.Where(pod => !pod.IsFinished()).Select(JobPods.IndexOf).ToHashSet();
            for (var index = 0; index < _completions && create.Count < missing; index++)
            {
                if (!_succeededIndexes.Contains(index) && !_failedIndexes.Contains(index) && !busy.Contains(index))
                    create.Add(index);
            }
        }

        // After failures, twice as long each time; a success starts anew.
        private TimeSpan? Delay()
        {
            var lastSuccess = _pods.Where(pod => pod.Status.Phase == "Succeeded").Select(EndOf).DefaultIfEmpty(DateTimeOffset.MinValue).Max();
            var failures = _pods.Where(pod => pod.Status.Phase == "Failed" && EndOf(pod) > lastSuccess).ToList();
            if (failures.Count == 0)
                return null;
            var delay = FirstDelay * Math.Pow(2, Math.Min(failures.Count - 1, 10));
            var left = failures.Max(EndOf) + (delay < LongestDelay ? delay : LongestDelay) - _now;
            return left > TimeSpan.Zero ? left : null;
        }

        private static DateTimeOffset EndOf(Pod pod) =>
            pod.Status.ContainerStatuses.Select(status => status.State?.Terminated?.FinishedAt).Max() ?? pod.Metadata.DeletionTimestamp ?? pod.Metadata.CreationTimestamp ?? DateTimeOffset.MinValue;

        private bool Again(TimeSpan delay)
        {
            _again = _again is { } sooner && sooner < delay ? sooner : delay;
            return true;
        }

        private void Set(string type, string status, string reason, string message)
        {
            var at = _conditions.FindIndex(condition => condition.Type == type);
            if (at >= 0 && _conditions[at].Status == status)
                return;
            var condition = new JobCondition { Type = type, Status = status, Reason = reason, Message = message, LastProbeTime = _now, LastTransitionTime = _now };
            if (at >= 0)
                _conditions[at] = condition;
            else
                _conditions.Add(condition);
        }

        private static int? OrAbsent(int count) => count == 0 ? null : count;
    }
}
