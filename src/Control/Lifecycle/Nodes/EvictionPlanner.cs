using Weft.Api.Core;

namespace Weft.Control.Lifecycle;

/// <summary>When a pod must leave a node with NoExecute taints.</summary>
internal static class EvictionPlanner
{
    /// <param name="notBefore">The end of our own last pause: tolerated time does not run while nobody runs.</param>
    /// <returns>The moment; null: it may stay.</returns>
    public static DateTimeOffset? EvictAt(Pod pod, IEnumerable<Taint> taints, DateTimeOffset notBefore)
    {
        DateTimeOffset? earliest = null;
        foreach (var taint in taints.Where(taint => taint.Effect == "NoExecute"))
        {
            var tolerations = pod.Spec.Tolerations.Where(toleration => Tolerates(toleration, taint)).ToList();
            if (tolerations.Count == 0)
                return DateTimeOffset.MinValue;
            // As Kubernetes: of several that match, the shortest time counts; none of them timed: for ever.
            var seconds = tolerations.Min(toleration => toleration.TolerationSeconds);
            if (seconds is null)
                continue;
            var since = taint.TimeAdded is { } added && added > notBefore ? added : notBefore;
            var at = since.AddSeconds(Math.Max(0, seconds.Value));
            earliest = earliest is { } sooner && sooner < at ? sooner : at;
        }

        return earliest;
    }

    public static bool Tolerates(Toleration toleration, Taint taint)
    {
        if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect)
            return false;
        if (string.IsNullOrEmpty(toleration.Key))
            return toleration.Operator == "Exists"; // an empty key tolerates everything
        if (toleration.Key != taint.Key)
            return false;
        return toleration.Operator == "Exists" || (toleration.Value ?? "") == (taint.Value ?? "");
    }
}
