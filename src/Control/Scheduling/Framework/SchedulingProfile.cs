using Weft.Control.Scheduling.Model;
using Weft.Control.Scheduling.Plugins;

namespace Weft.Control.Scheduling.Framework;

/// <summary>The plugins behind one schedulerName. The order of the filters is the order in which a node's first reason is found: cheap and telling ones first.</summary>
internal sealed class SchedulingProfile
{
    public const string DefaultName = "default-scheduler";

    public SchedulingProfile(string name, IReadOnlyList<IPlugin> plugins)
    {
        var twice = plugins.GroupBy(plugin => plugin.Name).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
            throw new ArgumentException($"the scheduling profile '{name}' lists the plugin '{twice.Key}' twice", nameof(plugins));
        Name = name;
        Filters = [.. plugins.OfType<IFilterPlugin>()];
        Scores = [.. plugins.OfType<IScorePlugin>()];
    }

    public string Name { get; }
    public IFilterPlugin[] Filters { get; }
    public IScorePlugin[] Scores { get; }

    /// <summary>The weights follow kube-scheduler's defaults where it has the same plugin.</summary>
    public static SchedulingProfile Default(ResourceNames resources) => new(
        DefaultName,
        [
            new SchedulingGates(),
            new NodeUnschedulable(),
            new NodeName(),
            new TaintToleration(),
            new NodeAffinityRules(),
            new HostPorts(),
            new ResourceFit(resources),
            new VolumeRestrictions(),
            new VolumeBinding(),
            new TopologySpread(),
            new PodAffinityRules(),
            new FreeResources(resources),
        ]);
}
