using System.Collections.Immutable;
using Weft.Api;
using Weft.Client;

namespace Weft.Control.Lifecycle;

/// <summary>What is known of one owner that an object names.</summary>
internal enum OwnerState
{
    /// <summary>It is there.</summary>
    Solid,

    /// <summary>The server itself says that it is not.</summary>
    Absent,

    /// <summary>It is being deleted in the foreground, and this reference holds it up.</summary>
    Waiting,

    /// <summary>It cannot be looked up (an unknown kind, a namespaced owner of a cluster-scoped object): nothing may be concluded.</summary>
    Unknown,
}

internal abstract record GarbageStep
{
    public sealed record Nothing : GarbageStep;

    /// <summary>Delete the object itself.</summary>
    public sealed record Delete(PropagationPolicy Propagation) : GarbageStep;

    /// <summary>Take away references to owners that are gone (or wait for us), where another owner keeps the object.</summary>
    public sealed record Disown(ImmutableArray<string> Uids) : GarbageStep;

    /// <summary>Nobody blocks the object any more: take away its foreground finalizer.</summary>
    public sealed record Release : GarbageStep;

    /// <summary>These hold up the object's foreground deletion: look at them.</summary>
    public sealed record Look(ImmutableArray<GraphNode> Blocking) : GarbageStep;
}

/// <summary>What to do with one object, given its owners and dependents: Kubernetes' rules of garbage collection. Pure.</summary>
internal static class GarbagePlanner
{
    /// <param name="self">As the server has it now.</param>
    /// <param name="finalizers">The finalizers of self.</param>
    /// <param name="owners">Each owner reference of self with its state.</param>
    /// <param name="dependents">Of self, in its own namespace (of a cluster-scoped object: everywhere).</param>
    public static GarbageStep Plan(
        GraphNode self, IReadOnlyList<string> finalizers, IReadOnlyList<(OwnerReference Reference, OwnerState State)> owners, IReadOnlyList<GraphNode> dependents)
    {
        if (self.Terminating)
            return self.WaitsForDependents ? Foreground(self, dependents) : new GarbageStep.Nothing();
        if (owners.Count == 0)
            return new GarbageStep.Nothing();

        var gone = owners.Where(owner => owner.State is OwnerState.Absent or OwnerState.Waiting).ToList();
        if (gone.Count < owners.Count)
        {
            // Somebody still owns it, or may: only the references that certainly lead nowhere go.
            return gone.Count > 0 && owners.Any(owner => owner.State == OwnerState.Solid)
                ? new GarbageStep.Disown([.. gone.Select(owner => owner.Reference.Uid)])
                : new GarbageStep.Nothing();
        }

        // In the foreground the whole tree below goes first: an owner that waits would otherwise be freed too early.
        if (owners.Any(owner => owner.State == OwnerState.Waiting) && dependents.Count > 0)
            return new GarbageStep.Delete(PropagationPolicy.Foreground);
        // A wish that the object carries itself is kept.
        return new GarbageStep.Delete(
            finalizers.Contains(GarbageFinalizers.Orphan) ? PropagationPolicy.Orphan
            : finalizers.Contains(GarbageFinalizers.Foreground) ? PropagationPolicy.Foreground
            : PropagationPolicy.Background);
    }

    private static GarbageStep Foreground(GraphNode self, IReadOnlyList<GraphNode> dependents)
    {
        ImmutableArray<GraphNode> blocking =
        [
            .. dependents.Where(dependent => dependent.Owners.Any(owner =>
                owner.BlockOwnerDeletion == true && self.IsMeantBy(owner, dependent.Key.Namespace))),
        ];
        return blocking.IsEmpty ? new GarbageStep.Release() : new GarbageStep.Look(blocking);
    }
}
