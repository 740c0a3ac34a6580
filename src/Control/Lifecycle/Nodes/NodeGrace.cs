namespace Weft.Control.Lifecycle;

/// <summary>How long a node may be silent before it counts as lost.</summary>
/// <param name="Running">After its last heartbeat. Nodes renew their lease every 10 s, or four times in this, whichever is more often.</param>
/// <param name="Starting">Of a node that registered but has never said anything (node-startup-grace-period).</param>
public sealed record NodeGrace(TimeSpan Running, TimeSpan Starting)
{
    /// <summary>node-monitor-grace-period of Kubernetes up to 1.31: four missed renewals of a lease of 10 s.</summary>
    public static NodeGrace Default { get; } = new(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(60));
}
