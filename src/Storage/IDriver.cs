namespace Weft.Storage;

/// <summary>
/// What differs between the local stores: how a group of changes becomes durable, and how old ones are read back. The newest state is not its business.
/// Append and Compact are called by the one writer; the reads by anyone, at any time.
/// </summary>
internal interface IDriver : IDisposable
{
    /// <summary>Makes the batches durable, all or none.</summary>
    /// <exception cref="DiskFullException">Nothing was written. Any other exception: the outcome is unknown.</exception>
    void Append(IReadOnlyList<ChangeBatch> batches);

    /// <summary>Writes down, durably, that revisions up to this one can no longer be read. Before anything is removed.</summary>
    void MarkCompacted(long compacted);

    /// <summary>Removes a bounded part of what is no longer needed. False: nothing is left to do.</summary>
    bool CompactStep();

    /// <summary>The batches below the prefix with after &lt; revision &lt;= upTo, from the oldest, as many as fit in about a page of memory.</summary>
    /// <param name="reached">All revisions up to this one are in the answer.</param>
    IReadOnlyList<ChangeBatch> ReadChanges(string prefix, long after, long upTo, out long reached);

    /// <summary>For each key below the prefix that changed after the revision: what it was before its first change, without its value, or null.</summary>
    IReadOnlyDictionary<string, Entry?> ReadUndo(string prefix, long after, long upTo);

    /// <summary>The whole entry for one that <see cref="ReadUndo"/> gave; null if it has been compacted since.</summary>
    Entry? Complete(Entry entry);
}

/// <summary>What a driver found when it was opened.</summary>
internal sealed record Recovered(Tree.Node Root, long Revision, long Compacted);

/// <summary>Order of single changes: by revision, then by place in the commit.</summary>
internal static class RowId
{
    // 2^47 revisions last 900 years at 5,000 a second.
    private const int PlaceBits = 16;
    public const int MaxOperations = 1 << PlaceBits;

    public static long First(long revision) => revision << PlaceBits;
    public static long Last(long revision) => (revision << PlaceBits) | (MaxOperations - 1);
    public static long Of(long revision, int place) => (revision << PlaceBits) | (long)place;
    public static long RevisionOf(long id) => id >> PlaceBits;
}
