using System.Threading.Channels;
using Weft.Client;

namespace Weft.Control.Mesh.Feed;

/// <summary>
/// Does a step after every change. A change that finds the loop at rest is done at once. After a step the loop rests for as long as the step took, so that it works at most half of the time,
/// and what comes meanwhile is one step.
/// </summary>
/// <param name="failed">Told of what a step threw and of the pause before it is tried again.</param>
internal sealed class PacedLoop(Func<CancellationToken, Task> step, Action<Exception, TimeSpan> failed, TimeProvider time, Random random)
{
    private static readonly TimeSpan MinRest = TimeSpan.FromMilliseconds(5);

    // A longer one would be felt.
    private static readonly TimeSpan MaxRest = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the first step that did not fail.</summary>
    public Task First => _first.Task;

    /// <summary>From any thread.</summary>
    public void Changed() => _changed.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        var failures = 0;
        try
        {
            while (await _changed.Reader.WaitToReadAsync(stopping))
            {
                // Before the step: what changes from here on is another one.
                _changed.Reader.TryRead(out _);
                var started = time.GetTimestamp();
                TimeSpan rest;
                try
                {
                    await step(stopping);
                    _first.TrySetResult();
                    (rest, failures) = (TimeSpan.FromTicks(Math.Clamp(time.GetElapsedTime(started).Ticks, MinRest.Ticks, MaxRest.Ticks)), 0);
                }
                catch (Exception defect) when (!stopping.IsCancellationRequested)
                {
                    // Nothing else may come that would bring it about again.
                    Changed();
                    rest = Backoff.Reconnect.Delay(++failures, random);
                    failed(defect, rest);
                }

                await Task.Delay(rest, time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // told to end
        }
    }
}
