namespace Weft.Storage.Sqlite;

public sealed record SqliteStoreOptions : StoreOptions
{
    /// <summary>The file. SQLite puts "-wal" and "-shm" beside it, the store ".lock".</summary>
    public required string Path { get; init; }

    /// <summary>Pages in the write-ahead log from which the checkpointer starts to copy them into the file.</summary>
    // Twice SQLite's own automatic checkpoint (1,000 pages of 4 KiB): a checkpoint costs one more fsync, and runs beside the writer here.
    public int CheckpointPages { get; init; } = 2000;

    /// <summary>Pages in the log from which the writer itself ends the checkpoint, so that the log starts anew even when commits never pause.</summary>
    // 64 MiB.
    public int MaxLogPages { get; init; } = 16_384;

    /// <summary>Changes looked at in one transaction of a compaction. Commits wait for at most one such step.</summary>
    public int CompactionStep { get; init; } = 1000;

    /// <summary>The largest the file may become, in pages of 4 KiB; 0 for no limit but the disk.</summary>
    public long MaxFilePages { get; init; }

    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(Path, nameof(Path));
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointPages, 1, nameof(CheckpointPages));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxLogPages, CheckpointPages, nameof(MaxLogPages));
        ArgumentOutOfRangeException.ThrowIfLessThan(CompactionStep, 1, nameof(CompactionStep));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxFilePages, nameof(MaxFilePages));
    }
}
