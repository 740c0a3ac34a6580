using Weft.Testing;

namespace Weft.Client.Tests;

public class WorkQueueTests
{
    private readonly ManualTime _time = new();
    private readonly Random _random = Seeded.Random(1);

    [Fact]
    public async Task A_key_added_twice_comes_once()
    {
        using var queue = new WorkQueue<string>(_time, _random);
        queue.Add("a");
        queue.Add("a");
        queue.Add("b");

        Assert.Equal("a", await queue.TakeAsync(CancellationToken.None));
        Assert.Equal("b", await queue.TakeAsync(CancellationToken.None));
        Assert.Equal(0, queue.Depth);
        Assert.Equal(2, queue.InFlight);
    }

    [Fact]
    public async Task A_key_added_while_it_is_worked_on_comes_again_afterwards()
    {
        using var queue = new WorkQueue<string>(_time, _random);
        queue.Add("a");
        var key = await queue.TakeAsync(CancellationToken.None);
        queue.Add("a");
        queue.Add("a");

        var next = queue.TakeAsync(CancellationToken.None).AsTask();
        Assert.False(next.IsCompleted);

        queue.Done(key);
        Assert.Equal("a", await Eventually.EndsAsync(next));
        queue.Done("a");
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task A_delayed_key_comes_when_its_time_is_there_and_the_earliest_delay_counts()
    {
        using var queue = new WorkQueue<string>(_time, _random);
        queue.AddAfter("late", TimeSpan.FromSeconds(10));
        queue.AddAfter("early", TimeSpan.FromSeconds(5));
        queue.AddAfter("late", TimeSpan.FromSeconds(7));
        queue.AddAfter("late", TimeSpan.FromSeconds(30));

        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(0, queue.Depth);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("early", await queue.TakeAsync(CancellationToken.None));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("late", await queue.TakeAsync(CancellationToken.None));
        queue.Done("late");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, queue.Depth); // the later two delays were overtaken
    }

    [Fact]
    public void Failures_of_a_key_wait_twice_as_long_each_time_until_it_is_forgotten()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));
        using var queue = new WorkQueue<string>(_time, _random, backoff);

        var delays = Enumerable.Range(0, 6).Select(_ => queue.AddBackedOff("a").TotalMilliseconds).ToList();
        double[] exact = [100, 200, 400, 800, 1000, 1000];
        Assert.All(delays.Zip(exact), pair => Assert.InRange(pair.First, pair.Second, pair.Second * 1.25));

        Assert.InRange(queue.AddBackedOff("b").TotalMilliseconds, 100, 125);
        queue.Forget("a");
        Assert.InRange(queue.AddBackedOff("a").TotalMilliseconds, 100, 125);
    }

    [Fact]
    public async Task A_worker_goes_on_whatever_its_work_throws()
    {
        var time = new ManualTime();
        using var queue = new WorkQueue<string>(time, _random, new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        using var stop = new CancellationTokenSource();
        // Also one that looks like a cancellation, as a handler's timeout does.
        var failures = new Queue<Exception>([new InvalidOperationException("a defect"), new OperationCanceledException("a timeout")]);
        var (told, done) = (new List<string>(), new TaskCompletionSource());
        var working = queue.WorkAsync(
            (_, _) =>
            {
                if (failures.TryDequeue(out var failure))
                    throw failure;
                done.SetResult();
                return Task.CompletedTask;
            },
            (key, failure, delay) =>
            {
                lock (told)
                    told.Add($"{key}: {failure.Message}");
            },
            stop.Token);
        queue.Add("a");
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(2));
            return done.Task.IsCompleted || working.IsCompleted;
        });
        Assert.Equal(["a: a defect", "a: a timeout"], told);
        Assert.False(working.IsCompleted);
        await stop.CancelAsync();
        await Eventually.EndsAsync(working);
    }

    [Fact]
    public async Task Many_workers_never_hold_the_same_key_at_once_and_lose_no_change()
    {
        using var queue = new WorkQueue<int>(TimeProvider.System, _random);
        using var stop = new CancellationTokenSource();
        var versions = new int[8]; // what is wanted, by key
        var seen = new int[8];     // what a worker last saw
        var holders = new int[8];
        var clashes = 0;

        async Task WorkAsync()
        {
            while (true)
            {
                int key;
                try
                {
                    key = await queue.TakeAsync(stop.Token);
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                if (Interlocked.Increment(ref holders[key]) != 1)
                    Interlocked.Increment(ref clashes);
                Volatile.Write(ref seen[key], Volatile.Read(ref versions[key]));
                await Task.Yield();
                Interlocked.Decrement(ref holders[key]);
                queue.Done(key);
            }
        }

        var workers = Enumerable.Range(0, 4).Select(_ => Task.Run(WorkAsync)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                Interlocked.Increment(ref versions[i % 8]);
                queue.Add(i % 8);
                if (i % 64 == 0)
                    await Task.Yield();
            }
        })));

        await Eventually.TrueAsync(() => seen.SequenceEqual(versions));
        await stop.CancelAsync();
        await Eventually.EndsAsync(Task.WhenAll(workers));
        Assert.Equal(0, clashes);
    }
}
