namespace Weft.Storage;

/// <summary>
/// A revisioned log of key and bytes with one revision sequence. It knows no JSON, no kinds and no HTTP.
/// Keys are ordinal (byte order of their UTF-8 form); every prefix ends in '/', or is empty for everything.
/// A new store is at revision 1, so that a list of nothing has a revision that can be watched from (0 means "now" to a watch).
/// </summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>The newest revision that is durable and published. Never goes back, also over a restart.</summary>
    long Revision { get; }

    /// <summary>Reads and watches at or below this revision answer <see cref="CompactedException"/>.</summary>
    long CompactedRevision { get; }

    /// <summary>
    /// Applies the operations as one transaction, all or none, at one new revision. Returns when they are durable and published.
    /// A failed expectation is a value (<see cref="CommitResult.Conflict"/>), never an exception; it does not disturb other commits of the same group.
    /// A key may stand only once among the operations. Deleting an absent key that nothing is expected of changes nothing; a commit that changes nothing
    /// takes no revision of its own and answers the newest one.
    /// The store keeps <see cref="Op.Value"/> as it is, without a copy: the caller must not change those bytes afterwards.
    /// Cancelling works until the commit is queued; from then on the call returns the real outcome.
    /// </summary>
    /// <exception cref="ArgumentException">No operation, too many of them, a malformed key or the same key twice.</exception>
    /// <exception cref="ValueTooLargeException"/>
    /// <exception cref="StoreReadOnlyException">The disk is full: nothing was written, reads go on. The next commit tries again.</exception>
    /// <exception cref="StoreFailedException">A write failed in a way that leaves its outcome unknown (an fsync error): the process must end and recover.</exception>
    ValueTask<CommitResult> CommitAsync(ReadOnlyMemory<Op> operations, CancellationToken cancellationToken = default);

    /// <summary>The entry at the newest revision, or null. Memory only: never waits.</summary>
    Entry? Get(string key);

    /// <summary>The entry as of <paramref name="revision"/>, or null if it did not exist then.</summary>
    /// <exception cref="CompactedException"/>
    /// <exception cref="FutureRevisionException"/>
    ValueTask<Entry?> GetAsync(string key, long revision, CancellationToken cancellationToken = default);

    /// <summary>One page of the keys below <paramref name="prefix"/>, in key order, as of one revision.</summary>
    /// <param name="revision">0 for the newest.</param>
    /// <param name="limit">0 for no limit.</param>
    /// <param name="after">Continue after this key (exclusive), or null.</param>
    /// <exception cref="CompactedException"/>
    /// <exception cref="FutureRevisionException"/>
    ValueTask<Page> ListAsync(string prefix, long revision = 0, int limit = 0, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>Number of keys below <paramref name="prefix"/> at the newest revision.</summary>
    long Count(string prefix);

    /// <summary>
    /// Every change below <paramref name="prefix"/> with a revision above <paramref name="after"/>, in order, each once, all changes of one revision in one batch;
    /// then new ones as they are committed. 0 means from now. A reader that falls more than its buffer behind gets <see cref="WatchExpiredException"/>, never a hole.
    /// </summary>
    /// <exception cref="CompactedException">History from <paramref name="after"/> is gone.</exception>
    /// <exception cref="FutureRevisionException">Nothing with this revision was published yet: a watch from there would pass off older changes as newer ones.</exception>
    IStoreWatch Watch(string prefix, long after);

    /// <summary>
    /// Forgets what only revisions below <paramref name="revision"/> need: <see cref="CompactedRevision"/> becomes <paramref name="revision"/> - 1.
    /// It is refused to readers before anything is removed. Returns when the removal is done; a lower revision than the last one does nothing.
    /// </summary>
    /// <exception cref="FutureRevisionException"/>
    ValueTask CompactAsync(long revision, CancellationToken cancellationToken = default);
}

/// <summary>A running watch, for one reader. Dispose it to stop.</summary>
public interface IStoreWatch : IAsyncDisposable
{
    /// <summary>Completes in revision order. Throws <see cref="WatchExpiredException"/> or <see cref="CompactedException"/> at its end.</summary>
    IAsyncEnumerable<ChangeBatch> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks for one progress batch (no changes) as soon as the reader has been given everything published so far. Never overtakes a change.
    /// Without asking, an idle watch gets one at the store's progress interval when other prefixes have moved the revision on.
    /// </summary>
    void RequestProgress();
}

public enum OpKind { Put, Delete }

public enum ExpectKind { Any, Absent, Revision }

/// <summary>What must hold for a key for its operation to apply: anything, absence, or its modification revision.</summary>
public readonly record struct Expect(ExpectKind Kind, long Revision)
{
    public static Expect Any => default;
    public static Expect Absent => new(ExpectKind.Absent, 0);
    public static Expect At(long revision) => new(ExpectKind.Revision, revision);
}

public readonly record struct Op(OpKind Kind, string Key, ReadOnlyMemory<byte> Value, Expect Expect)
{
    public static Op Put(string key, ReadOnlyMemory<byte> value, Expect expect = default) => new(OpKind.Put, key, value, expect);
    public static Op Delete(string key, Expect expect = default) => new(OpKind.Delete, key, default, expect);
}

/// <summary>Either the revision of the commit, or the first operation whose expectation failed with what is there now.</summary>
public readonly record struct CommitResult(long Revision, int FailedOperation, Entry? Current)
{
    public bool Succeeded => Revision > 0;
    public static CommitResult Committed(long revision) => new(revision, -1, null);
    public static CommitResult Conflict(int operation, Entry? current) => new(0, operation, current);
}

/// <param name="CreateRevision">Revision at which this life of the key began.</param>
/// <param name="ModRevision">Revision of its last change.</param>
public sealed record Entry(string Key, ReadOnlyMemory<byte> Value, long CreateRevision, long ModRevision);

/// <param name="Revision">The revision that the page shows.</param>
/// <param name="Remaining">How many keys follow after the last of the page.</param>
public sealed record Page(IReadOnlyList<Entry> Entries, long Revision, long Remaining);

/// <param name="Current">Null for a deletion.</param>
/// <param name="Previous">Null for a creation. For a deletion: what was deleted.</param>
public sealed record Change(string Key, Entry? Current, Entry? Previous);

/// <summary>All changes of one revision below the watched prefix. An empty one reports progress: nothing below the prefix changed up to the revision.</summary>
public sealed record ChangeBatch(long Revision, IReadOnlyList<Change> Changes);

public sealed class CompactedException(long requested, long compacted)
    : Exception($"revision {requested} has been compacted; the oldest that can be read is {compacted + 1}")
{
    public long Requested => requested;
    public long Compacted => compacted;
}

public sealed class FutureRevisionException(long requested, long current)
    : Exception($"revision {requested} is in the future; the newest is {current}")
{
    public long Requested => requested;
    public long Current => current;
}

public sealed class WatchExpiredException(long lastDelivered)
    : Exception($"the reader fell too far behind; the last change it was given has revision {lastDelivered}")
{
    public long LastDelivered => lastDelivered;
}

public sealed class StoreReadOnlyException(string reason) : Exception(reason);

/// <summary>The store refuses every further write: what happened to the last one is unknown until the file is opened again.</summary>
public sealed class StoreFailedException(string reason, Exception? cause = null) : Exception(reason, cause);

public sealed class ValueTooLargeException(string key, long size, long limit)
    : Exception($"the value of '{key}' has {size} bytes; the store takes at most {limit}")
{
    public long Size => size;
    public long Limit => limit;
}
