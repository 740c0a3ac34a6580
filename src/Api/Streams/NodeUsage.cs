namespace Weft.Api.Streams;

/// <summary>What a node and the containers on it use, as its agent last measured it.</summary>
/// <param name="Node">Null before the second reading.</param>
/// <param name="Pods">Those with a container that was read twice.</param>
public sealed record NodeUsage(UsageSample? Node, IReadOnlyList<PodSamples> Pods)
{
    public static readonly NodeUsage Nothing = new(null, []);
}

public sealed record PodSamples(string Uid, IReadOnlyList<ContainerSample> Containers);

public sealed record ContainerSample(string Name, UsageSample Usage);

/// <param name="At">When the second reading was made.</param>
/// <param name="Window">Time between the two readings.</param>
/// <param name="NanoCores">CPU time used in the window, in billionths of a core.</param>
/// <param name="MemoryBytes">Working set: without file pages that nobody has touched lately.</param>
public sealed record UsageSample(DateTimeOffset At, TimeSpan Window, long NanoCores, long MemoryBytes);
