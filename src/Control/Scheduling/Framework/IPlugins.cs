using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Framework;

/// <summary>A part of the placement decision. A plugin implements the abilities it has; the profile lists it once and finds them.</summary>
internal interface IPlugin
{
    string Name { get; }
}

/// <summary>Looks at the pod once, before any node: says that it has no part in this pod, refuses it everywhere, or prepares state for the filter.</summary>
internal interface IPreFilterPlugin : IFilterPlugin
{
    PreFilterResult PreFilter(PodInfo pod, ClusterSnapshot snapshot);
}

/// <summary>Says whether the pod may run on a node.</summary>
internal interface IFilterPlugin : IPlugin
{
    /// <summary>Changes of the cluster after which a rejected pod is worth another try.</summary>
    ClusterEvents MayCure { get; }

    /// <summary>Null when the node is fine. On the hot path: a rejection is a shared object, never made per node.</summary>
    Rejection? Filter(PodInfo pod, NodeInfo node, object? state);
}

/// <summary>Says how good a feasible node is: 0 to 1, comparable over all nodes, so that no second pass has to normalise.</summary>
internal interface IScorePlugin : IPlugin
{
    double Weight { get; }

    double Score(PodInfo pod, NodeInfo node, object? state);
}

/// <summary>Looks at the pod once, before nodes are scored.</summary>
internal interface IPreScorePlugin : IScorePlugin
{
    PreScoreResult PreScore(PodInfo pod, ClusterSnapshot snapshot);
}

/// <summary>Told of a placement before it is written, and of its end when writing failed.</summary>
internal interface IReservePlugin : IPlugin
{
    void Reserve(PodInfo pod, string node);

    void Unreserve(PodInfo pod);
}

/// <summary>Writes a placement down. Exactly one in a profile.</summary>
internal interface IBindPlugin : IPlugin
{
    Task BindAsync(PodInfo pod, string node, CancellationToken cancellationToken);
}

internal readonly struct PreFilterResult
{
    private PreFilterResult(bool skips, object? state, Rejection? rejection, IReadOnlyList<string>? onlyNodes) =>
        (Skips, State, Rejection, OnlyNodes) = (skips, state, rejection, onlyNodes);

    public bool Skips { get; }
    public object? State { get; }
    public Rejection? Rejection { get; }

    /// <summary>Names of the only nodes that can pass, where the plugin knows; null for any.</summary>
    public IReadOnlyList<string>? OnlyNodes { get; }

    /// <summary>The plugin has nothing to check for this pod.</summary>
    public static PreFilterResult Skip => new(true, null, null, null);

    public static PreFilterResult Check(object? state = null, IReadOnlyList<string>? onlyNodes = null) => new(false, state, null, onlyNodes);

    /// <summary>No node can do.</summary>
    public static PreFilterResult Reject(Rejection rejection) => new(false, null, rejection, null);
}

internal readonly struct PreScoreResult
{
    private PreScoreResult(bool skips, object? state) => (Skips, State) = (skips, state);

    public bool Skips { get; }
    public object? State { get; }

    /// <summary>All nodes are the same to the plugin.</summary>
    public static PreScoreResult Skip => new(true, null);

    public static PreScoreResult Score(object? state = null) => new(false, state);
}
