using Microsoft.Extensions.Logging;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <summary>A controller as the host sees it: something that runs, and says how it is doing.</summary>
public interface IControllerLoop
{
    string Name { get; }

    ControllerHealth Health { get; }

    Task RunAsync(CancellationToken stopping);
}

/// <summary>
/// The loop under every controller: takes keys from a coalescing queue, several at once but each key on one worker at a time, and calls
/// the reconciler, which reads the current state by key. So lost and repeated events do no harm. A failing key backs off by itself; a
/// slow full resync repairs what a watch may have missed.
/// </summary>
public sealed partial class ControllerLoop<TKey> : IControllerLoop, IDisposable where TKey : notnull
{
    // Rare enough to cost nothing when idle, often enough that a missed event heals while somebody still looks (client-go's informers: 10 h to 12 h).
    private static readonly TimeSpan ResyncEvery = TimeSpan.FromMinutes(15);

    private readonly Func<TKey, CancellationToken, Task<TimeSpan?>> _reconcile;
    private readonly Func<IEnumerable<TKey>> _allKeys;
    private readonly int _workers;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly HealthMeter _meter;

    /// <param name="reconcile">Brings the world of one key closer to what is wanted. Its answer: look again after this time, or null: when something changes.</param>
    /// <param name="allKeys">Every key there is now, for the resync.</param>
    /// <param name="workers">Keys in flight; an attached cluster has round trips of 5 to 20 ms, so more than the cores.</param>
    public ControllerLoop(
        string name, Func<TKey, CancellationToken, Task<TimeSpan?>> reconcile, Func<IEnumerable<TKey>> allKeys,
        TimeProvider time, Random random, ILogger logger, int workers = 8)
    {
        Name = name;
        _reconcile = reconcile;
        _allKeys = allKeys;
        _workers = workers;
        _time = time;
        _random = random;
        _logger = logger;
        Queue = new WorkQueue<TKey>(time, random);
        _meter = new HealthMeter(time);
    }

    public string Name { get; }

    public WorkQueue<TKey> Queue { get; }

    public ControllerHealth Health => _meter.Read(Name, Queue.Depth);

    public async Task RunAsync(CancellationToken stopping)
    {
        await Task.WhenAll(Enumerable.Range(0, _workers).Select(_ => WorkAsync(stopping)).Append(ResyncAsync(stopping)));
    }

    private async Task WorkAsync(CancellationToken stopping)
    {
        while (true)
        {
            TKey key;
            try
            {
                key = await Queue.TakeAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var work = _meter.Begin();
            try
            {
                var again = await _reconcile(key, stopping);
                Queue.Forget(key);
                if (again is { } delay)
                    Queue.AddAfter(key, delay);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (ApiStatusException refused) when (refused.IsConflict || refused.IsNotFound)
            {
                // Somebody was faster; the next look sees what they did. Nothing to tell anybody.
                Queue.AddBackedOff(key);
            }
            catch (ApiStatusException refused) when (refused.IsNamespaceTerminating)
            {
                Queue.Forget(key); // the namespace controller removes what this key is about
            }
            catch (Exception failed)
            {
                // One object that makes a planner throw must not stop the work on all others: the bug is told with its stack, and the key comes again.
                _meter.Failed();
                var delay = Queue.AddBackedOff(key);
                if (failed is ApiStatusException or HttpRequestException or IOException or TimeoutException)
                    Log.Refused(_logger, Name, key, delay.TotalSeconds, failed.Message);
                else
                    Log.Broke(_logger, failed, Name, key, delay.TotalSeconds);
            }
            finally
            {
                _meter.End(work);
                Queue.Done(key);
            }
        }
    }

    private async Task ResyncAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            double spread;
            lock (_random)
                spread = _random.NextDouble();
            await Task.Delay(ResyncEvery * (1 + spread), _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            foreach (var key in _allKeys())
                Queue.Add(key);
        }
    }

    public void Dispose() => Queue.Dispose();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Controller {Controller}: {Key} failed, again in {Seconds:0.0} s: {Reason}", EventName = nameof(Refused))]
        public static partial void Refused(ILogger logger, string controller, object key, double seconds, string reason);

        [LoggerMessage(LogLevel.Error, "Controller {Controller}: {Key} broke the controller, again in {Seconds:0.0} s", EventName = nameof(Broke))]
        public static partial void Broke(ILogger logger, Exception exception, string controller, object key, double seconds);
    }
}
