namespace Weft.Api.Streams;

/// <summary>What a node and the containers on it use, as its agent last measured it.</summary>
/// <param name="Node">Null before the second reading.</param>
/// <param name="Pods">Those with a container that was read twice.</param>
public sealed record NodeUsage(UsageSample? Node, IReadOnlyList<PodSamples> Pods)
{
    public static readonly NodeUsage Nothing = new(null, []);

    /// <summary>What pods of this node have sent, and the front door; null: the node has no mesh, or its proxy does not say.</summary>
    public RequestSamples? Requests { get; init; }

    /// <summary>The node's agent is told to have a mesh.</summary>
    public bool HasMesh { get; init; }
}

/// <param name="At">When the second reading was made.</param>
/// <param name="Window">Time between the two readings.</param>
/// <param name="MilliPerSecond">Thousandths of requests per second, by the address that they were sent to; absent: none.</param>
public sealed record RequestSamples(DateTimeOffset At, TimeSpan Window, IReadOnlyDictionary<string, long> MilliPerSecond);

public sealed record PodSamples(string Uid, IReadOnlyList<ContainerSample> Containers);

public sealed record ContainerSample(string Name, UsageSample Usage);

/// <param name="At">When the second reading was made.</param>
/// <param name="Window">Time between the two readings.</param>
/// <param name="NanoCores">CPU time used in the window, in billionths of a core.</param>
/// <param name="MemoryBytes">Working set: without file pages that nobody has touched lately.</param>
public sealed record UsageSample(DateTimeOffset At, TimeSpan Window, long NanoCores, long MemoryBytes);
