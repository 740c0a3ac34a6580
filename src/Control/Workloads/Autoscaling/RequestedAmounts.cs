using Weft.Api.Core;

namespace Weft.Control.Workloads;

/// <summary>What pods request of a resource: a utilization is a share of it.</summary>
internal static class RequestedAmounts
{
    /// <param name="container">Only of this one; null: of all that run as long as the pod.</param>
    /// <param name="missing">Who requests nothing: then there is no share.</param>
    public static Dictionary<string, long>? Of(IReadOnlyList<Pod> pods, string resource, string? container, out string missing)
    {
        var requests = new Dictionary<string, long>();
        foreach (var pod in pods)
        {
            long sum = 0;
            foreach (var one in pod.Spec.Containers.Concat(pod.Spec.InitContainers.Where(init => init.RestartPolicy == "Always")))
            {
                if (container is not null && one.Name != container)
                    continue;
                if (one.Resources?.Requests.TryGetValue(resource, out var request) is not true)
                {
                    missing = $"missing request for {resource} in container {one.Name} of Pod {pod.Metadata.Name}";
                    return null;
                }
                sum += request.Milli;
            }
            requests[pod.Metadata.Name ?? ""] = sum;
        }
        missing = "";
        return requests;
    }
}
