using Weft.Api;
using Weft.Api.Core;

namespace Weft.Control.Scheduling.Model;

/// <summary>
/// What a pod sets aside on its node. Containers and sidecars run together, so their requests add up; init containers run one after another, each
/// beside the sidecars started before it, so the largest such moment counts when it exceeds the sum (Kubernetes, "resource sharing within containers").
/// Requests of the pod as a whole replace what its containers add up to; overhead of the runtime comes on top.
/// </summary>
internal static class PodRequests
{
    public static Dictionary<string, long> Of(PodSpec spec)
    {
        var running = new Dictionary<string, long>();
        foreach (var container in spec.Containers)
            Add(running, container.Resources);

        if (spec.InitContainers.Count > 0)
        {
            var sidecars = new Dictionary<string, long>();
            var peak = new Dictionary<string, long>();
            foreach (var container in spec.InitContainers)
            {
                if (container.RestartPolicy == "Always")
                {
                    Add(running, container.Resources);
                    Add(sidecars, container.Resources);
                    Raise(peak, sidecars);
                    continue;
                }

                var moment = new Dictionary<string, long>(sidecars);
                Add(moment, container.Resources);
                Raise(peak, moment);
            }

            Raise(running, peak);
        }

        if (spec.Resources is not null)
        {
            foreach (var (name, amount) in spec.Resources.Requests)
                running[name] = Amount(name, amount);
        }

        foreach (var (name, amount) in spec.Overhead)
            running[name] = Plus(running.GetValueOrDefault(name), Amount(name, amount));
        return running;
    }

    /// <summary>CPU in thousandths, everything else in units. Always rounded up, never negative.</summary>
    public static long Amount(string name, Quantity quantity) => Math.Max(0, name == "cpu" ? quantity.Milli : quantity.Units);

    private static void Add(Dictionary<string, long> sum, ResourceRequirements? resources)
    {
        if (resources is null)
            return;
        foreach (var (name, amount) in resources.Requests)
            sum[name] = Plus(sum.GetValueOrDefault(name), Amount(name, amount));
    }

    private static void Raise(Dictionary<string, long> least, Dictionary<string, long> to)
    {
        foreach (var (name, amount) in to)
            least[name] = Math.Max(least.GetValueOrDefault(name), amount);
    }

    // Absurd requests (2^63 bytes in each of two containers) must be too much, not a negative number that fits everywhere.
    private static long Plus(long left, long right) => left > long.MaxValue - right ? long.MaxValue : left + right;
}
