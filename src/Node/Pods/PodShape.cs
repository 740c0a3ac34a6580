using Weft.Api.Core;

namespace Weft.Node.Pods;

/// <summary>Questions to a pod's specification.</summary>
internal static class PodShape
{
    public static bool IsSidecar(Container init) => init.RestartPolicy == "Always";

    public static bool IsTerminal(Pod pod) => pod.Status.Phase is "Succeeded" or "Failed";

    public static IEnumerable<Container> Sidecars(Pod pod) => pod.Spec.InitContainers.Where(IsSidecar);

    public static IEnumerable<Container> AllContainers(Pod pod) => [.. pod.Spec.InitContainers, .. pod.Spec.Containers, .. pod.Spec.EphemeralContainers.Select(AsContainer)];

    public static Container? Find(Pod pod, string name) => AllContainers(pod).FirstOrDefault(c => c.Name == name);

    public static Container AsContainer(EphemeralContainer e) => new()
    {
        Name = e.Name, Image = e.Image, Command = e.Command, Args = e.Args, WorkingDir = e.WorkingDir, EnvFrom = e.EnvFrom, Env = e.Env, Resources = e.Resources,
        VolumeMounts = e.VolumeMounts, TerminationMessagePath = e.TerminationMessagePath, TerminationMessagePolicy = e.TerminationMessagePolicy,
        ImagePullPolicy = e.ImagePullPolicy, SecurityContext = e.SecurityContext, Stdin = e.Stdin, StdinOnce = e.StdinOnce, Tty = e.Tty,
    };

    public static TimeSpan Grace(Pod pod) =>
        TimeSpan.FromSeconds(pod.Metadata.DeletionGracePeriodSeconds ?? pod.Spec.TerminationGracePeriodSeconds ?? 30);

    public static DateTimeOffset? Deadline(Pod pod) => pod.Spec.ActiveDeadlineSeconds is { } seconds && pod.Status.StartTime is { } start ? start.AddSeconds(seconds) : null;

    /// <summary>Guaranteed: every container has equal requests and limits of cpu and memory; BestEffort: none has any; else Burstable.</summary>
    public static string QosClass(Pod pod)
    {
        var containers = pod.Spec.Containers.Concat(pod.Spec.InitContainers).ToList();
        string[] resources = ["cpu", "memory"];
        if (containers.All(c => c.Resources is null || !resources.Any(r => c.Resources.Limits.ContainsKey(r) || c.Resources.Requests.ContainsKey(r))))
            return "BestEffort";
        return containers.All(c => c.Resources is { } r && resources.All(name =>
            r.Limits.TryGetValue(name, out var limit) && !limit.IsZero && (!r.Requests.TryGetValue(name, out var request) || request == limit)))
            ? "Guaranteed"
            : "Burstable";
    }
}
