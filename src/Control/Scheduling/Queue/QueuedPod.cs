using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Queue;

/// <summary>A pod that waits for a node. Its members change under the queue's lock only.</summary>
internal sealed class QueuedPod(PodInfo pod)
{
    public PodInfo Pod { get; internal set; } = pod;

    /// <summary>Decisions taken for it so far.</summary>
    public int Attempts { get; internal set; }

    internal QueuePlace Place { get; set; }

    /// <summary>Grows with each move, so that what still stands for an earlier place in a heap is known to be old.</summary>
    internal int Version { get; set; }

    /// <summary>When the back-off of the last attempt ends.</summary>
    internal DateTimeOffset BackedOffUntil { get; set; }

    /// <summary>While parked: what may help. While a decision is under way: what has happened since it began.</summary>
    internal ClusterEvents Events { get; set; }

    /// <summary>The pod itself changed while its decision was under way.</summary>
    internal bool Changed { get; set; }
}

internal enum QueuePlace { Active, BackedOff, Parked, InFlight, Gone }
