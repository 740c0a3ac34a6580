using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>What is known about a pod on this machine at one moment: the other half of what the planner and the status are made from.</summary>
internal sealed record PodObservation
{
    public SandboxInfo? Sandbox { get; init; }

    public bool VolumesReady { get; init; }

    /// <summary>All of the pod, also earlier attempts.</summary>
    public IReadOnlyList<ContainerInfo> Containers { get; init; } = [];

    /// <summary>Ids of containers whose stop is under way.</summary>
    public IReadOnlySet<string> Stopping { get; init; } = new HashSet<string>();

    /// <summary>By container id; absent until its probes or hooks have said something.</summary>
    public IReadOnlyDictionary<string, ContainerHealth> Health { get; init; } = new Dictionary<string, ContainerHealth>();

    /// <summary>By container name: why the last attempt to make it failed.</summary>
    public IReadOnlyDictionary<string, StartFailure> Failures { get; init; } = new Dictionary<string, StartFailure>();

    /// <summary>By container name: ends in a row without a long run in between.</summary>
    public IReadOnlyDictionary<string, int> Crashes { get; init; } = new Dictionary<string, int>();

    /// <summary>Names of containers whose image is being fetched.</summary>
    public IReadOnlySet<string> Pulling { get; init; } = new HashSet<string>();

    /// <summary>By container id: what it was made from.</summary>
    public IReadOnlyDictionary<string, ImageInfo> Images { get; init; } = new Dictionary<string, ImageInfo>();

    /// <summary>Why volumes or sandbox are not there yet.</summary>
    public StartFailure? Setup { get; init; }

    public ContainerInfo? Latest(string name) => Containers.Where(c => c.Name == name).MaxBy(c => c.Attempt);

    public ContainerInfo? BeforeLatest(string name) => Containers.Where(c => c.Name == name).OrderByDescending(c => c.Attempt).Skip(1).FirstOrDefault();
}

/// <param name="Started">The startup probe has passed and the postStart hook is done, or there are none.</param>
/// <param name="Failure">Why the container must be killed: a liveness or startup probe, or the postStart hook.</param>
internal sealed record ContainerHealth(bool Started, bool Ready, string? Failure)
{
    public static readonly ContainerHealth Unknown = new(false, false, null);
}

/// <param name="Count">Failures in a row.</param>
/// <param name="RetryAt">When to try again; null: by the number of failures.</param>
internal sealed record StartFailure(string Reason, string Message, DateTimeOffset At, int Count, DateTimeOffset? RetryAt = null);
