using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What to do next for a pod. Pure: the same pod, observation and time give the same steps, and after the steps are done it gives none.</summary>
internal static class PodPlanner
{
    public static PodPlan Plan(Pod pod, PodObservation seen, DateTimeOffset now)
    {
        var plan = new Builder(pod, seen, now);
        if (pod.Metadata.DeletionTimestamp is not null)
            plan.Stop("the pod is being deleted", andFinish: true);
        else if (PodShape.IsTerminal(pod) || plan.IsOver)
            plan.Stop("the pod has ended", andFinish: false);
        else if (PodShape.Deadline(pod) is { } deadline && deadline <= now)
            plan.Stop("the pod was active longer than its deadline allows", andFinish: false);
        else
            plan.Run();
        return plan.Done();
    }

    /// <summary>Whether every container has ended for good, or an init container has failed for good.</summary>
    public static bool HasEnded(Pod pod, PodObservation seen)
    {
        if (seen.Containers.Count == 0)
            return false;
        if (FailedInit(pod, seen) is not null)
            return true;
        return pod.Spec.Containers.All(c => seen.Latest(c.Name) is { State: RunState.Exited } ended && !RestartRules.ShouldRestart(pod, c, isInit: false, ended.ExitCode));
    }

    public static Container? FailedInit(Pod pod, PodObservation seen) => pod.Spec.InitContainers.FirstOrDefault(c =>
        !PodShape.IsSidecar(c) && seen.Latest(c.Name) is { State: RunState.Exited, ExitCode: not 0 } ended && !RestartRules.ShouldRestart(pod, c, isInit: true, ended.ExitCode));

    private sealed class Builder(Pod pod, PodObservation seen, DateTimeOffset now)
    {
        private readonly ImmutableArray<PodStep>.Builder _steps = ImmutableArray.CreateBuilder<PodStep>();
        private DateTimeOffset? _wake;

        public bool IsOver => HasEnded(pod, seen);

        public PodPlan Done() => new(_steps.ToImmutable(), _wake);

        public void Stop(string why, bool andFinish)
        {
            var running = seen.Containers.Where(c => c.State != RunState.Exited).ToList();
            var sidecars = PodShape.Sidecars(pod).Select(c => c.Name).ToHashSet();
            var first = running.Where(c => !sidecars.Contains(c.Name)).ToList();
            // Sidecars serve the others to the end, so they are stopped after them.
            foreach (var container in first.Count > 0 ? first : running)
                Kill(container, why);
            if (running.Count > 0)
                return;
            if (seen.Sandbox is { Ready: true })
                _steps.Add(new PodStep.TearDown());
            if (andFinish)
                _steps.Add(new PodStep.Finish());
        }

        public void Run()
        {
            if (PodShape.Deadline(pod) is { } deadline)
                Wake(deadline);
            if (seen.Sandbox is not { Ready: true } || !seen.VolumesReady)
            {
                SetUp();
                return;
            }

            if (!InitContainers())
                return;
            foreach (var container in pod.Spec.Containers)
                Keep(container, isInit: false);
            foreach (var container in pod.Spec.EphemeralContainers.Where(e => seen.Latest(e.Name) is null))
                Start(PodShape.AsContainer(container), isInit: false);
        }

        private void SetUp()
        {
            if (seen.Setup is { } failure && RestartRules.NextTry(failure) is var next && next > now)
                Wake(next);
            else
                _steps.Add(new PodStep.SetUp());
        }

        /// <summary>One after the other; a sidecar lets the next begin when it has started. True when the others may run.</summary>
        private bool InitContainers()
        {
            // Once a regular container was made, initialisation is over, whatever became of the records of it.
            var initialised = pod.Spec.Containers.Any(c => seen.Latest(c.Name) is not null);
            foreach (var container in pod.Spec.InitContainers)
            {
                var latest = seen.Latest(container.Name);
                if (PodShape.IsSidecar(container))
                {
                    Keep(container, isInit: true);
                    var started = latest is { State: RunState.Running } && seen.Health.GetValueOrDefault(latest.Id, ContainerHealth.Unknown).Started;
                    if (!started && !initialised)
                        return false;
                }
                else if (!initialised && latest is not { State: RunState.Exited, ExitCode: 0 })
                {
                    Keep(container, isInit: true);
                    return false;
                }
            }
            return true;
        }

        private void Keep(Container container, bool isInit)
        {
            var latest = seen.Latest(container.Name);
            foreach (var old in seen.Containers.Where(c => c.Name == container.Name && c.Attempt < (latest?.Attempt ?? 0) - 1 && c.State == RunState.Exited))
                _steps.Add(new PodStep.Forget(old.Id));   // the last but one stays, for `logs --previous`

            if (latest is null)
                Start(container, isInit);
            else if (latest.State != RunState.Exited)
            {
                if (seen.Health.GetValueOrDefault(latest.Id)?.Failure is { } failure)
                    Kill(latest, failure, KillGrace(container));
            }
            else if (RestartRules.ShouldRestart(pod, container, isInit, latest.ExitCode))
            {
                var next = RestartRules.NextStart(latest, seen.Crashes.GetValueOrDefault(container.Name));
                if (next > now)
                    Wake(next);
                else
                    Start(container, isInit);
            }
        }

        private static TimeSpan? KillGrace(Container container) =>
            (container.LivenessProbe?.TerminationGracePeriodSeconds ?? container.StartupProbe?.TerminationGracePeriodSeconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

        private void Start(Container container, bool isInit)
        {
            if (seen.Pulling.Contains(container.Name))
                return;   // its end is told
            if (seen.Failures.GetValueOrDefault(container.Name) is { } failure && RestartRules.NextTry(failure) is var next && next > now)
            {
                Wake(next);
                return;
            }

            // Without a record here (a reboot), the count goes on from what the API remembers.
            var known = (isInit ? pod.Status.InitContainerStatuses : pod.Status.ContainerStatuses).FirstOrDefault(s => s.Name == container.Name);
            var attempt = seen.Latest(container.Name) is { } latest ? latest.Attempt + 1 : known?.ContainerID is { Length: > 0 } ? known.RestartCount + 1 : 0;
            _steps.Add(new PodStep.Start(container.Name, attempt));
        }

        private void Kill(ContainerInfo container, string why, TimeSpan? grace = null)
        {
            if (!seen.Stopping.Contains(container.Id))
                _steps.Add(new PodStep.Kill(container.Id, container.Name, why, grace));
        }

        private void Wake(DateTimeOffset at)
        {
            if (at != DateTimeOffset.MaxValue && (_wake is null || at < _wake))
                _wake = at;
        }
    }
}
