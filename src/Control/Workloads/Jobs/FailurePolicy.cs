using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>What a job's podFailurePolicy says about a failed pod: the first rule that matches decides. Pure.</summary>
public static class FailurePolicy
{
    /// <returns>The action (Count without a rule), and for people why.</returns>
    public static (string Action, string Why) Judge(Job job, Pod pod)
    {
        var rules = job.Spec.PodFailurePolicy?.Rules ?? [];
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.OnExitCodes is { } codes)
            {
                foreach (var status in pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses))
                {
                    if (!string.IsNullOrEmpty(codes.ContainerName) && codes.ContainerName != status.Name || status.State?.Terminated is not { ExitCode: not 0 } ended)
                        continue;
                    if (codes.Values.Contains(ended.ExitCode) == (codes.Operator == "In"))
                        return (rule.Action, $"Container {status.Name} for pod {pod.Metadata.Namespace}/{pod.Metadata.Name} failed with exit code {ended.ExitCode} matching {rule.Action} rule at index {i}");
                }
            }

            foreach (var pattern in rule.OnPodConditions)
            {
                if (pod.Condition(pattern.Type)?.Status == (pattern.Status ?? "True"))
                    return (rule.Action, $"Pod {pod.Metadata.Namespace}/{pod.Metadata.Name} has condition {pattern.Type} matching {rule.Action} rule at index {i}");
            }
        }
        return ("Count", "");
    }
}
