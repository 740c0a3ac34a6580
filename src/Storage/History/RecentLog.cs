using Weft.Storage.Tree;

namespace Weft.Storage.History;

/// <summary>The last changes, bounded by number and bytes, each group with the snapshot after it. What fell out must come from the driver.</summary>
/// <param name="start">What there was before the first change.</param>
internal sealed class RecentLog(Snapshot start, int maxChanges, long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly List<Epoch> _epochs = [];
    private int _dropped; // epochs at the head of the list that are forgotten; they are cut off in bulk
    private Snapshot _base = start;
    private long _changes;
    private long _bytes;

    public void Append(Epoch epoch)
    {
        lock (_gate)
        {
            _epochs.Add(epoch);
            _changes += epoch.Changes;
            _bytes += epoch.Bytes;
        }
    }

    /// <summary>Forgets the oldest down to the bounds, but nothing above the revision. False: the bounds are still passed.</summary>
    public bool Trim(long upTo)
    {
        lock (_gate)
        {
            while (_epochs.Count - _dropped > 1 && IsOverfull && _epochs[_dropped].Last <= upTo)
            {
                var old = _epochs[_dropped];
                _epochs[_dropped++] = null!;
                _base = old.After;
                _changes -= old.Changes;
                _bytes -= old.Bytes;
            }

            if (_dropped > _epochs.Count / 2)
            {
                _epochs.RemoveRange(0, _dropped);
                _dropped = 0;
            }

            return !IsOverfull || _epochs.Count - _dropped == 1;
        }
    }

    /// <summary>
    /// The first groups with a revision above <paramref name="after"/> that end at or below <paramref name="upTo"/>, at most so many; null when some of them are gone.
    /// </summary>
    public Epoch[]? Since(long after, long upTo, int atMost)
    {
        lock (_gate)
        {
            if (after < _base.Revision)
                return null;

            var first = FirstEndingAbove(after);
            var end = (int)Math.Min(FirstEndingAbove(upTo), (long)first + atMost);
            return first >= end ? [] : _epochs.GetRange(first, end - first).ToArray();
        }
    }

    /// <summary>Everything as of the revision, or null when it is too old.</summary>
    public Snapshot? At(long revision)
    {
        Snapshot before;
        Epoch? within;
        lock (_gate)
        {
            if (revision < _base.Revision)
                return null;

            var next = FirstEndingAbove(revision);
            before = next == _dropped ? _base : _epochs[next - 1].After;
            within = next < _epochs.Count && _epochs[next].First <= revision ? _epochs[next] : null;
        }

        return within is null ? before with { Revision = revision } : Within(before, within, revision);
    }

    private bool IsOverfull => _changes > maxChanges || _bytes > maxBytes;

    private int FirstEndingAbove(long revision)
    {
        int low = _dropped, high = _epochs.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_epochs[middle].Last <= revision)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    // A revision in the middle of a group: replay the first part of the group on what was before it.
    private static Snapshot Within(Snapshot before, Epoch epoch, long revision)
    {
        var edit = new TreeEdit(before.Root, TreeEdit.Scratch);
        foreach (var batch in epoch.Batches)
        {
            if (batch.Revision > revision)
                break;
            foreach (var change in batch.Changes)
            {
                if (change.Current is null)
                    edit.Remove(change.Key);
                else
                    edit.Set(change.Current);
            }
        }

        return new Snapshot(edit.Root, revision);
    }
}
