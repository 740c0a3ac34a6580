using Weft.Api;

namespace Weft.Client;

/// <summary>One informer a kind for all controllers of a process: one list, one watch, one copy of each object.</summary>
public sealed class Informers(KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Type, (object Informer, Func<CancellationToken, Task> Run, Task Synced)> _all = [];
    private readonly List<Task> _running = [];
    private CancellationToken? _stopping;

    public Informer<T> Of<T>() where T : class, IObject
    {
        lock (_gate)
        {
            if (_all.TryGetValue(typeof(T), out var found))
                return (Informer<T>)found.Informer;
            var informer = new Informer<T>(client.For<T>(), time, random, onError);
            _all[typeof(T)] = (informer, informer.RunAsync, informer.Synced);
            if (_stopping is { } stopping)
                _running.Add(informer.RunAsync(stopping));
            return informer;
        }
    }

    public ObjectCache<T> Cache<T>() where T : class, IObject => Of<T>().Cache;

    /// <summary>Starts all; those asked for later start at once.</summary>
    public void Start(CancellationToken stopping)
    {
        lock (_gate)
        {
            if (_stopping is not null)
                throw new InvalidOperationException("The informers run already.");
            _stopping = stopping;
            foreach (var (_, run, _) in _all.Values)
                _running.Add(run(stopping));
        }
    }

    /// <summary>Ends when every informer of now has its first list.</summary>
    public Task SyncedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.WhenAll(_all.Values.Select(entry => entry.Synced)).WaitAsync(cancellationToken);
    }

    /// <summary>Ends after the token of <see cref="Start"/> was cancelled and every watch is closed.</summary>
    public Task StoppedAsync()
    {
        lock (_gate)
            return Task.WhenAll(_running);
    }
}
