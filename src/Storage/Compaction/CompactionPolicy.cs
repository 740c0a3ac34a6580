namespace Weft.Storage.Compaction;

/// <summary>How much history is kept.</summary>
public sealed record CompactionOptions
{
    // kube-apiserver compacts every 5 minutes what is older than 5 minutes (--etcd-compaction-interval), so clients are used to that much.
    public TimeSpan Keep { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Never more than this many revisions, however young.</summary>
    // About half a gigabyte of objects of 1 KB; 5 minutes of 1,600 writes/s.
    public long MaxRevisions { get; init; } = 500_000;

    /// <summary>How often the policy looks.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>
/// Says, from samples of time and revision, up to where history may be forgotten. Pure. Holds one sample for each look within the time kept.
/// </summary>
public sealed class CompactionPolicy(CompactionOptions options)
{
    private readonly Queue<(DateTimeOffset At, long Revision)> _samples = new();
    private long _old;

    /// <summary>The revision to compact to, or null when nothing is old enough.</summary>
    public long? Next(DateTimeOffset now, long revision, long compacted)
    {
        _samples.Enqueue((now, revision));
        // A clock that was set back must not keep samples of its future for ever: their number is bounded, too.
        while (_samples.TryPeek(out var sample) && (now - sample.At >= options.Keep || _samples.Count > MaxSamples))
            _old = Math.Max(_old, _samples.Dequeue().Revision);

        var target = Math.Min(revision, Math.Max(_old, revision - options.MaxRevisions));
        return target > compacted + 1 ? target : null;
    }

    private int MaxSamples => (int)Math.Min(100_000, (options.Keep / options.Interval) + 2);
}
