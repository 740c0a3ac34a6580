using System.Runtime.CompilerServices;

namespace Weft.Testing;

/// <summary>Waits for a condition with a generous deadline: a loaded machine makes a test slow, never red.</summary>
public static class Eventually
{
    /// <summary>Long enough for a two-core machine that builds and tests everything at once.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // Short enough not to be felt, long enough to cost nothing. Where the look itself costs something (it starts a program), as long as the look took.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10), LongestPause = TimeSpan.FromMilliseconds(250);

    public static Task TrueAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "", Func<string>? state = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, state);

    public static async Task TrueAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "", Func<string>? state = null)
    {
        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        while (true)
        {
            var asked = time.GetTimestamp();
            if (await condition())
                return;
            var took = time.GetElapsedTime(asked);
            if (time.GetElapsedTime(started) > Deadline)
                throw new TimeoutException($"Not true within {Deadline.TotalSeconds:0} s: {what}{(state is null ? "" : "\nState: " + state())}");
            await Task.Delay(took < Pause ? Pause : took < LongestPause ? took : LongestPause, time);
        }
    }

    /// <summary>Waits until <paramref name="read"/> gives a value, and returns it.</summary>
    public static async Task<T> ValueAsync<T>(Func<Task<T?>> read, [CallerArgumentExpression(nameof(read))] string what = "")
        where T : class
    {
        T? found = null;
        await TrueAsync(async () => (found = await read()) is not null, what);
        return found!;
    }

    /// <summary>Awaits a task that must end by itself.</summary>
    public static async Task<T> EndsAsync<T>(Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await EndsAsync((Task)task, what);
        return await task;
    }

    public static async Task EndsAsync(Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(Deadline, TimeProvider.System);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Did not end within {Deadline.TotalSeconds:0} s: {what}");
        }
    }
}
