using Weft.Api.Core;

namespace Weft.Api.Quotas;

/// <summary>
/// What a whole pod asks for, or is limited to: containers and sidecars together, or the largest moment of its initialisation when that is more
/// (Kubernetes, "resource sharing within containers"); the overhead of its runtime on top. Pure.
/// </summary>
public static class PodAmounts
{
    public static IReadOnlyDictionary<string, Quantity> Requests(PodSpec spec) => Of(spec, resources => resources.Requests, alwaysOverhead: true);

    /// <summary>A container without a limit adds none; overhead is added only to limits that there are.</summary>
    public static IReadOnlyDictionary<string, Quantity> Limits(PodSpec spec) => Of(spec, resources => resources.Limits, alwaysOverhead: false);

    private static Dictionary<string, Quantity> Of(PodSpec spec, Func<ResourceRequirements, IReadOnlyDictionary<string, Quantity>> part, bool alwaysOverhead)
    {
        var running = new Dictionary<string, Quantity>();
        foreach (var container in spec.Containers)
            Add(running, container.Resources);

        var sidecars = new Dictionary<string, Quantity>();
        var peak = new Dictionary<string, Quantity>();
        foreach (var container in spec.InitContainers)
        {
            var moment = new Dictionary<string, Quantity>(sidecars);
            Add(moment, container.Resources);
            Raise(peak, moment);
            if (container.RestartPolicy != "Always")
                continue;
            Add(running, container.Resources);
            sidecars = moment;
        }
        Raise(running, peak);

        if (spec.Resources is { } whole)
        {
            foreach (var (name, amount) in part(whole))
                running[name] = amount;
        }
        foreach (var (name, amount) in spec.Overhead)
        {
            if (alwaysOverhead || running.ContainsKey(name))
                running[name] = running.GetValueOrDefault(name) + amount;
        }
        return running;

        void Add(Dictionary<string, Quantity> sum, ResourceRequirements? resources)
        {
            foreach (var (name, amount) in resources is null ? Empty.Map<Quantity>() : part(resources))
                sum[name] = sum.GetValueOrDefault(name) + amount;
        }
    }

    private static void Raise(Dictionary<string, Quantity> least, Dictionary<string, Quantity> to)
    {
        foreach (var (name, amount) in to)
            least[name] = least.TryGetValue(name, out var known) && known >= amount ? known : amount;
    }
}
