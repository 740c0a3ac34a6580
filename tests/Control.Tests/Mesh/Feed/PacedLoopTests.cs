using Weft.Control.Mesh.Feed;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh.Feed;

/// <summary>With a clock that stands still, so that nothing can be waited for unseen.</summary>
public sealed class PacedLoopTests : IAsyncDisposable
{
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _failures = [];
    private readonly PacedLoop _loop;
    private readonly Task _running;
    private Action _step = () => { };
    private int _steps;

    public PacedLoopTests()
    {
        _loop = new(_ =>
        {
            Interlocked.Increment(ref _steps);
            _step();
            return Task.CompletedTask;
        }, (defect, _) => _failures.Add(defect.Message), _time, Seeded.Random(1));
        _running = _loop.RunAsync(_stopping.Token);
    }

    [Fact]
    public async Task A_change_that_finds_it_at_rest_is_done_without_any_time_going_by()
    {
        for (var change = 1; change <= 3; change++)
        {
            _loop.Changed();
            await StepsAsync(change);
            await RestsAsync();
            _time.Advance(TimeSpan.FromMilliseconds(5));
        }
    }

    [Fact]
    public async Task Changes_within_a_rest_are_one_step_after_it()
    {
        // The step takes 40 ms, and so does the rest.
        _step = () => _time.Advance(TimeSpan.FromMilliseconds(40));
        _loop.Changed();
        await RestsAsync();
        for (var change = 0; change < 5; change++)
            _loop.Changed();
        _time.Advance(TimeSpan.FromMilliseconds(39));
        Assert.Equal(1, _steps);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await StepsAsync(2);
        await RestsAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _time.PendingTimers == 0);
        Assert.Equal(2, _steps);
    }

    [Fact]
    public async Task A_change_that_comes_while_a_step_works_is_a_step_of_its_own()
    {
        _step = () =>
        {
            _step = () => { };
            _loop.Changed();
        };
        _loop.Changed();
        await RestsAsync();
        _time.Advance(TimeSpan.FromMilliseconds(5));
        await StepsAsync(2);
    }

    [Fact]
    public async Task A_step_that_fails_is_done_again_though_nothing_changes()
    {
        _step = () =>
        {
            _step = () => { };
            throw new InvalidOperationException("once");
        };
        _loop.Changed();
        await RestsAsync();
        Assert.False(_loop.First.IsCompleted);
        Assert.Equal(["once"], _failures);
        _time.Advance(TimeSpan.FromMinutes(1));
        await StepsAsync(2);
        await Eventually.EndsAsync(_loop.First);
    }

    private Task StepsAsync(int count) => Eventually.TrueAsync(() => Volatile.Read(ref _steps) == count);

    private Task RestsAsync() => Eventually.TrueAsync(() => _time.PendingTimers == 1);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Eventually.EndsAsync(_running);
        _stopping.Dispose();
    }
}
