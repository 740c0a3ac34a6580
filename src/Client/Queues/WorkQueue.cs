using System.Threading.Channels;

namespace Weft.Client;

/// <summary>
/// A set of keys that need work. A key is handed to one worker at a time and never queued twice: added while it is worked on, it comes
/// again afterwards. Nothing in it polls; one timer stands for all delayed keys.
/// </summary>
public sealed class WorkQueue<TKey> : IDisposable where TKey : notnull
{
    private readonly Channel<TKey> _ready = Channel.CreateUnbounded<TKey>(); // bounded by the number of distinct keys
    private readonly Lock _gate = new();
    private readonly HashSet<TKey> _dirty = [];
    private readonly HashSet<TKey> _busy = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly DelayedKeys<TKey> _delayed;
    private readonly Random _random;
    private readonly Backoff _backoff;

    public WorkQueue(TimeProvider time, Random random, Backoff? backoff = null)
    {
        _random = random;
        _backoff = backoff ?? Backoff.Work;
        _delayed = new DelayedKeys<TKey>(time, Add);
    }

    /// <summary>Keys that wait for a worker now (delayed keys do not count).</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
                return _dirty.Count;
        }
    }

    public int InFlight
    {
        get
        {
            lock (_gate)
                return _busy.Count;
        }
    }

    public void Add(TKey key)
    {
        lock (_gate)
        {
            if (_dirty.Add(key) && !_busy.Contains(key))
                _ready.Writer.TryWrite(key);
        }
    }

    /// <summary>Adds the key when the time has passed. Of several delays for one key the earliest counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
            Add(key);
        else
            _delayed.Add(key, delay);
    }

    /// <summary>Adds the key after a delay that doubles with each call until <see cref="Forget"/>.</summary>
    public TimeSpan AddBackedOff(TKey key)
    {
        int failures;
        lock (_gate)
            _failures[key] = failures = _failures.GetValueOrDefault(key) + 1;
        var delay = _backoff.Delay(failures, _random);
        AddAfter(key, delay);
        return delay;
    }

    /// <summary>The key succeeded: its next failure starts from the shortest delay.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
            _failures.Remove(key);
    }

    public async ValueTask<TKey> TakeAsync(CancellationToken cancellationToken)
    {
        var key = await _ready.Reader.ReadAsync(cancellationToken);
        lock (_gate)
        {
            _dirty.Remove(key);
            _busy.Add(key);
        }

        return key;
    }

    public void Done(TKey key)
    {
        lock (_gate)
        {
            _busy.Remove(key);
            if (_dirty.Contains(key)) // it changed while we worked on it
                _ready.Writer.TryWrite(key);
        }
    }

    /// <summary>
    /// One worker, until it is told to end. Whatever the work throws, the worker goes on and the key comes again, after a growing delay: nobody would see that a worker has gone, and what it is for would
    /// stand still.
    /// </summary>
    /// <param name="failed">Told of each failure, and of the delay.</param>
    public async Task WorkAsync(Func<TKey, CancellationToken, Task> work, Action<TKey, Exception, TimeSpan> failed, CancellationToken stopping)
    {
        while (true)
        {
            TKey key;
            try
            {
                key = await TakeAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await work(key, stopping);
                Forget(key);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                failed(key, failure, AddBackedOff(key));
            }
            finally
            {
                Done(key);
            }
        }
    }

    public void Dispose() => _delayed.Dispose();
}
