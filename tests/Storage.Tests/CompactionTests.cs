using Weft.Storage.Compaction;
using Weft.Storage.Memory;
using static Weft.Storage.Tests.StoreWords;

namespace Weft.Storage.Tests;

public sealed class CompactionTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Keeps_the_time_it_is_told_to()
    {
        var policy = new CompactionPolicy(new CompactionOptions { Keep = TimeSpan.FromMinutes(5), Interval = TimeSpan.FromMinutes(1) });
        for (var minute = 0; minute < 5; minute++)
            Assert.Null(policy.Next(Start.AddMinutes(minute), 100 + minute, compacted: 0));

        Assert.Equal(100, policy.Next(Start.AddMinutes(5), 105, compacted: 0));
        Assert.Equal(101, policy.Next(Start.AddMinutes(6), 106, compacted: 99));
        Assert.Null(policy.Next(Start.AddMinutes(6), 106, compacted: 100)); // done already
    }

    [Fact]
    public void Bounds_the_number_of_revisions_whatever_the_time()
    {
        var policy = new CompactionPolicy(new CompactionOptions { MaxRevisions = 1000 });
        Assert.Null(policy.Next(Start, 900, compacted: 0));
        Assert.Equal(500, policy.Next(Start.AddSeconds(15), 1500, compacted: 0));
    }

    [Fact]
    public void A_clock_that_is_set_back_or_far_ahead_forgets_nothing_too_young_for_ever()
    {
        var policy = new CompactionPolicy(new CompactionOptions { Keep = TimeSpan.FromMinutes(5), Interval = TimeSpan.FromMinutes(1) });
        Assert.Null(policy.Next(Start.AddYears(10), 100, compacted: 0));
        long? target = null;
        for (var minute = 0; minute < 20; minute++)
            target = policy.Next(Start.AddMinutes(minute), 200 + minute, compacted: 0) ?? target;
        Assert.InRange(target ?? 0, 200, 219);
    }

    [Fact]
    public async Task The_compactor_follows_the_clock()
    {
        var time = new ManualTime(Start);
        await using var store = new MemoryStore(time);
        using var stop = new CancellationTokenSource();
        var running = new AutoCompactor(store, new CompactionOptions(), time).RunAsync(stop.Token);
        for (var i = 0; i < 10; i++)
            await store.PutAsync("/pods/a", $"{i}");

        while (store.CompactedRevision == 0)
        {
            time.Advance(TimeSpan.FromSeconds(15));
            await Task.Yield();
        }

        Assert.Equal(store.Revision - 1, store.CompactedRevision);
        Assert.True(time.GetUtcNow() - Start >= TimeSpan.FromMinutes(5));
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }
}
