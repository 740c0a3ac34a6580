using Weft.Api.Streams;

namespace Weft.ApiServer.Usage;

/// <summary>What another machine says of itself is JSON of any content: what is missing or impossible in it is left out, so that it cannot hurt the figures of others.</summary>
internal static class UsageShape
{
    private static readonly TimeSpan LongestWindow = TimeSpan.FromHours(1);

    public static NodeUsage Sound(NodeUsage told) => new(
        IsSound(told.Node) ? told.Node : null,
        [.. (told.Pods ?? []).Where(pod => pod is { Uid: not null, Containers: not null })
            .Select(pod => pod with { Containers = [.. pod.Containers.Where(container => container is { Name: not null } && IsSound(container.Usage))] })])
    {
        HasMesh = told.HasMesh,
        Requests = told.Requests is { MilliPerSecond: not null } requests && requests.Window > TimeSpan.Zero && requests.Window <= LongestWindow && requests.MilliPerSecond.Values.All(milli => milli >= 0) ? requests : null,
    };

    private static bool IsSound(UsageSample? sample) =>
        sample is { NanoCores: >= 0, MemoryBytes: >= 0 } && sample.Window > TimeSpan.Zero && sample.Window <= LongestWindow;
}
