namespace Weft.Storage;

/// <summary>Places where a test makes the store fail or die.</summary>
public enum FailPoint
{
    /// <summary>The group is in the driver's transaction, not yet durable.</summary>
    BeforeCommit,

    /// <summary>Durable, but nobody was told yet.</summary>
    AfterCommit,

    /// <summary>The compacted revision is to be written down.</summary>
    CompactionStart,

    /// <summary>The compacted revision is durable; nothing has been removed.</summary>
    CompactionMarked,

    /// <summary>A piece has been removed in a transaction that is not yet durable.</summary>
    CompactionStep,

    /// <summary>Pages are to be copied from the log to the file.</summary>
    Checkpoint,
}

/// <summary>Called at each <see cref="FailPoint"/>. May throw what the disk would (<see cref="DiskFullException"/>, <see cref="IOException"/>), or end the process.</summary>
public interface IFailPoints
{
    void Hit(FailPoint point);
}

internal sealed class NoFailPoints : IFailPoints
{
    public static readonly NoFailPoints Instance = new();

    public void Hit(FailPoint point)
    {
    }
}
