using System.Collections.Immutable;

namespace Weft.Node.Pods;

/// <summary>One thing to do for a pod now.</summary>
internal abstract record PodStep
{
    private PodStep() { }

    /// <summary>Volumes, directories, namespaces and address.</summary>
    public sealed record SetUp : PodStep;

    public sealed record Start(string Container, int Attempt) : PodStep;

    public sealed record Kill(string ContainerId, string Container, string Why, TimeSpan? Grace = null) : PodStep;

    /// <summary>An earlier attempt that nobody asks for any more.</summary>
    public sealed record Forget(string ContainerId) : PodStep;

    /// <summary>Releases namespaces, address and mounts; logs stay until the pod object goes.</summary>
    public sealed record TearDown : PodStep;

    /// <summary>Nothing runs any more and the pod is being deleted: its object may go.</summary>
    public sealed record Finish : PodStep;
}

/// <param name="WakeAt">When time alone changes the plan: the end of a back-off, a deadline.</param>
internal sealed record PodPlan(ImmutableArray<PodStep> Steps, DateTimeOffset? WakeAt);
