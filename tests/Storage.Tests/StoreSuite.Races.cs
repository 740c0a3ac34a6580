using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public abstract partial class StoreSuite
{
    private const int RacedKeys = 10;

    /// <summary>Ten keys are written in turn, so what each revision looks like is known. Readers of the past race with compactions.</summary>
    [Fact]
    public async Task A_read_of_the_past_that_races_with_compaction_is_complete_or_refused()
    {
        await ReopenAsync(new StoreOptions { RecentChanges = 1 });
        var start = Store.Revision;
        for (var i = 0; i < RacedKeys; i++)
            await Store.PutAsync($"/k/{i}", "x");
        using var done = new CancellationTokenSource();

        var readers = Enumerable.Range(0, 2).Select(seed => Task.Run(() => ReadThePastAsync(start, new Random(seed), done.Token))).ToList();
        // A store in memory has written before a reader has begun: then it goes on until one has.
        for (var i = 0; i < 200 || (Volatile.Read(ref _racedReads) == 0 && !readers.Exists(reader => reader.IsCompleted)); i++)
        {
            await Store.PutAsync($"/k/{i % RacedKeys}", "x");
            if (i % 20 == 0)
                await Store.CompactAsync(Math.Max(1, Store.Revision - 15));
        }

        await done.CancelAsync();
        var outcomes = await Task.WhenAll(readers).WaitAsync(Patience);
        Assert.True(outcomes.Sum(outcome => outcome.Read) > 0);
    }

    private int _racedReads;

    private async Task<(int Read, int Refused)> ReadThePastAsync(long start, Random random, CancellationToken done)
    {
        var (read, refused) = (0, 0);
        while (!done.IsCancellationRequested)
        {
            var revision = Math.Min(Store.Revision, Math.Max(start + RacedKeys, Store.CompactedRevision + random.Next(4)));
            try
            {
                if (random.Next(2) == 0)
                    CheckRaced(await Store.ListAsync("/k/", revision), start);
                else
                    await CheckRacedAsync(revision);
                read++;
                Interlocked.Increment(ref _racedReads);
            }
            catch (CompactedException)
            {
                refused++;
            }
        }

        return (read, refused);
    }

    private static void CheckRaced(Page page, long start)
    {
        Assert.Equal(RacedKeys, page.Entries.Count);
        for (var i = 0; i < RacedKeys; i++)
        {
            // The newest revision at or below the page's that wrote key i: they come round every ten.
            var expected = page.Revision - ((page.Revision - (start + 1 + i)) % RacedKeys);
            Assert.Equal(($"/k/{i}", expected), (page.Entries[i].Key, page.Entries[i].ModRevision));
        }
    }

    private async Task CheckRacedAsync(long after)
    {
        await using var watch = Store.Watch("/k/", after);
        watch.RequestProgress();
        await foreach (var batch in watch.ReadAsync(Deadline))
        {
            if (batch.Changes.Count == 0)
                break;
            Assert.Equal(++after, batch.Revision);
            Assert.Equal(after - RacedKeys, batch.Changes[0].Previous!.ModRevision);
        }
    }
}
