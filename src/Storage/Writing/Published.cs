using Weft.Storage.Tree;

namespace Weft.Storage.Writing;

/// <summary>What readers see: the newest durable state, and how far back history reaches. Written by the writer alone.</summary>
internal sealed class Published(Snapshot start, long compacted)
{
    private Snapshot _current = start;
    private long _compacted = compacted;

    public Snapshot Current => Volatile.Read(ref _current);

    public long Compacted => Volatile.Read(ref _compacted);

    public void Publish(Snapshot next) => Volatile.Write(ref _current, next);

    public void PublishCompacted(long revision) => Volatile.Write(ref _compacted, revision);

    public void CheckReadable(long revision)
    {
        var current = Current.Revision;
        if (revision > current)
            throw new FutureRevisionException(revision, current);
        CheckNotCompacted(revision);
    }

    public void CheckNotCompacted(long revision)
    {
        if (Compacted is var compacted && revision <= compacted)
            throw new CompactedException(revision, compacted);
    }
}
