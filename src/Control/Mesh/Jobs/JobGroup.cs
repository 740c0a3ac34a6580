using System.Collections.Immutable;

namespace Weft.Control.Mesh.Jobs;

/// <summary>A job with its result.</summary>
internal sealed record DoneJob(Job Job, JobResult Result);

/// <summary>What a step of the compiler does with jobs, and what it has done.</summary>
/// <param name="changed">Questions that may have other answers than before, a bit for each.</param>
internal sealed class JobRun(MeshIndex index, int changed, Func<Job, JobResult?, JobResult> compile)
{
    public List<(JobResult? Old, JobResult? New)> Changes { get; } = [];

    public int Compiled { get; private set; }

    public bool MayConcern(int asked) => (asked & changed) != 0;

    /// <returns>The same instance where the result stands.</returns>
    public DoneJob Do(Job job, DoneJob? known)
    {
        if (known is not null && known.Result.StandsFor(job, index, changed))
            return known;
        var done = new DoneJob(job, compile(job, known?.Result));
        Compiled++;
        Changes.Add((known?.Result, done.Result));
        return done;
    }

    public void Forget(DoneJob known) => Changes.Add((known.Result, null));
}

/// <summary>Jobs that are listed together. They are listed again when that of which the list is made is other; of a list that stands those are looked at that may have asked for what has changed.</summary>
/// <param name="MadeOf">Compared by reference; null: nobody knows.</param>
internal sealed record JobGroup(ImmutableArray<object>? MadeOf, ImmutableDictionary<string, DoneJob> Done, int Asked)
{
    public static readonly JobGroup Empty = new(null, ImmutableDictionary.Create<string, DoneJob>(StringComparer.Ordinal), 0);

    public JobGroup Next(ImmutableArray<object>? madeOf, Func<IEnumerable<Job>> list, JobRun run)
    {
        if (madeOf is { } now && MadeOf is { } then && now.AsSpan().SequenceEqual(then.AsSpan(), ReferenceEqualityComparer.Instance))
            return Again(run);
        var (next, asked, kept, added) = (Done.ToBuilder(), Asked, new HashSet<string>(StringComparer.Ordinal), false);
        foreach (var job in list())
        {
            var known = Done.GetValueOrDefault(job.Name);
            var done = run.Do(job, known);
            kept.Add(job.Name);
            added |= known is null;
            if (ReferenceEquals(done, known) && ReferenceEquals(done.Job.Subject, job.Subject))
                continue;
            next[job.Name] = done with { Job = job };
            asked |= done.Result.Asked;
        }

        if (added || kept.Count < next.Count)
        {
            foreach (var (name, known) in Done.Where(pair => !kept.Contains(pair.Key)))
            {
                run.Forget(known);
                next.Remove(name);
            }
        }

        return new(madeOf, next.ToImmutable(), asked);
    }

    /// <summary>Of a list of which it is known what has become of it.</summary>
    /// <param name="gone">Names; those that are in <paramref name="come"/> too are changed.</param>
    public JobGroup Next(IEnumerable<string> gone, IReadOnlyCollection<Job> come, JobRun run)
    {
        var (next, asked) = (Done, Asked);
        var names = come.Select(job => job.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in gone.Where(name => !names.Contains(name)))
        {
            if (next.TryGetValue(name, out var known))
                run.Forget(known);
            next = next.Remove(name);
        }

        // Before those that come, which are compiled by what is now.
        if (run.MayConcern(asked))
        {
            var again = (this with { Done = next.RemoveRange(names) }).Again(run);
            // What they ask now counts for the group, also what nobody in it had asked before.
            (next, asked) = (again.Done, again.Asked);
        }

        foreach (var job in come)
        {
            var known = Done.GetValueOrDefault(job.Name);
            var done = run.Do(job, known);
            asked |= done.Result.Asked;
            next = next.SetItem(job.Name, done);
        }

        return new(null, next, asked);
    }

    private JobGroup Again(JobRun run)
    {
        if (!run.MayConcern(Asked))
            return this;
        var (next, asked) = (Done, Asked);
        foreach (var (name, known) in Done)
        {
            var done = run.Do(known.Job, known);
            if (ReferenceEquals(done, known))
                continue;
            next = next.SetItem(name, done);
            asked |= done.Result.Asked;
        }

        return this with { Done = next, Asked = asked };
    }
}
