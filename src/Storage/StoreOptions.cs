namespace Weft.Storage;

/// <summary>Bounds of a store. Each default says where its number comes from.</summary>
public record StoreOptions
{
    // etcd refuses requests above 1.5 MiB; the API server's one documented object limit is the same number.
    public int MaxValueBytes { get; init; } = 1536 * 1024;

    // etcd's --max-txn-ops is 128. Namespace-wide allocations of addresses and ports are the largest of ours.
    public int MaxOperations { get; init; } = 512;

    // Commits that wait for the disk. kube-apiserver lets 200 mutating requests in flight; further ones wait without taking memory here.
    public int MaxPendingCommits { get; init; } = 1024;

    /// <summary>Changes kept in memory for watches that start, and lists that continue, a little in the past. The driver has the older ones.</summary>
    // kube-apiserver's watch cache holds 100 to 102,400 events a kind; these hold 10 s of 800 writes/s for all kinds together.
    public int RecentChanges { get; init; } = 8192;

    // The whole of Weft is to be idle in 150 MB; 16 MiB hold 4,000 lone updates of 1 KB, or the 8,192 in groups.
    public long RecentBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How many batches of one prefix a reader may fall behind before it is refused. Shared by all watches of the prefix.</summary>
    // One group commit brings at most 256; a reader may miss sixteen of them.
    public int WatchBuffer { get; init; } = 4096;

    public long WatchBufferBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How often an idle watch is told how far the revision has moved on.</summary>
    // Kubernetes sends bookmarks about once a minute, and its consistent reads from cache ask far more often: 5 s keeps bookmarks fresh at no cost.
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A commit that finds nobody else at it is written by its caller, which waits for the disk: two changes of thread (some 60 us) less than through the writer.</summary>
    public bool WriteOnCaller { get; init; } = true;

    public IFailPoints FailPoints { get; init; } = NoFailPoints.Instance;

    internal virtual void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxValueBytes, 1, nameof(MaxValueBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOperations, 1, nameof(MaxOperations));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxOperations, RowId.MaxOperations, nameof(MaxOperations));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPendingCommits, 1, nameof(MaxPendingCommits));
        ArgumentOutOfRangeException.ThrowIfLessThan(RecentChanges, 1, nameof(RecentChanges));
        ArgumentOutOfRangeException.ThrowIfLessThan(WatchBuffer, 1, nameof(WatchBuffer));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ProgressInterval, TimeSpan.Zero, nameof(ProgressInterval));
    }
}
