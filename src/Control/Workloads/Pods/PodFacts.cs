using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>What a pod's status says, in the words of the controllers.</summary>
public static class PodFacts
{
    /// <summary>Neither finished nor on its way out.</summary>
    public static bool IsActive(this Pod pod) => !pod.IsFinished() && !pod.IsTerminating();

    public static bool IsFinished(this Pod pod) => pod.Status.Phase is "Succeeded" or "Failed";

    public static bool IsScheduled(this Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName);

    public static PodCondition? Condition(this Pod pod, string type) => pod.Status.Conditions.FirstOrDefault(condition => condition.Type == type);

    public static bool IsReady(this Pod pod) => pod.Condition("Ready")?.Status == "True";

    /// <summary>Since when the pod is ready; null when it is not.</summary>
    public static DateTimeOffset? ReadySince(this Pod pod) =>
        pod.Condition("Ready") is { Status: "True" } ready ? ready.LastTransitionTime ?? DateTimeOffset.MinValue : null;

    /// <summary>Ready for at least <paramref name="minReadySeconds"/>.</summary>
    public static bool IsAvailable(this Pod pod, int minReadySeconds, DateTimeOffset now) =>
        pod.ReadySince() is { } since && (minReadySeconds == 0 || since.AddSeconds(minReadySeconds) <= now);

    public static int Restarts(this Pod pod) => pod.Status.ContainerStatuses.Select(status => status.RestartCount).DefaultIfEmpty().Max();
}
