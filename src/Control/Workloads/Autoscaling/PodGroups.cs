using Weft.Api.Core;

namespace Weft.Control.Workloads;

/// <summary>Whose figures count: pods on their way out do not, those that start count as idle, those without a figure are guessed with care.</summary>
/// <param name="Measured">Samples that count, by pod.</param>
/// <param name="Unready">Not up yet: its figures say nothing about the load.</param>
/// <param name="Missing">Runs, and was not measured.</param>
public sealed record PodGroups(IReadOnlyDictionary<string, PodSample> Measured, IReadOnlyList<string> Unready, IReadOnlyList<string> Missing)
{
    // kube-controller-manager's --horizontal-pod-autoscaler-cpu-initialization-period and --horizontal-pod-autoscaler-initial-readiness-delay.
    private static readonly TimeSpan CpuInitialization = TimeSpan.FromMinutes(5), InitialReadiness = TimeSpan.FromSeconds(30);

    /// <param name="isCpu">Programs burn CPU while they start: only for it young pods are looked at more closely.</param>
    public static PodGroups Of(IReadOnlyList<Pod> pods, IReadOnlyDictionary<string, PodSample> samples, bool isCpu, DateTimeOffset now)
    {
        var (measured, unready, missing) = (new Dictionary<string, PodSample>(), new List<string>(), new List<string>());
        foreach (var pod in pods)
        {
            var name = pod.Metadata.Name ?? "";
            if (pod.Metadata.DeletionTimestamp is not null || pod.Status.Phase == "Failed")
                continue;
            if (pod.Status.Phase == "Pending")
                unready.Add(name);
            else if (!samples.TryGetValue(name, out var sample))
                missing.Add(name);
            else if (isCpu && IsStarting(pod, sample, now))
                unready.Add(name);
            else
                measured[name] = sample;
        }
        return new PodGroups(measured, unready, missing);
    }

    private static bool IsStarting(Pod pod, PodSample sample, DateTimeOffset now)
    {
        if (pod.Condition("Ready") is not { } ready || pod.Status.StartTime is not { } started)
            return true;
        var since = ready.LastTransitionTime ?? DateTimeOffset.MinValue;
        var isUnready = ready.Status == "False";
        // Young: the sample must have been measured wholly after the pod became ready. Later: only a pod that has never been ready is left out.
        return started + CpuInitialization > now
            ? isUnready || sample.At < since + sample.Window
            : isUnready && started + InitialReadiness > since;
    }
}
