using Weft.Api;

namespace Weft.Client;

/// <summary>One informer a kind for all controllers of a process: one list, one watch, one copy of each object.</summary>
public sealed class Informers(KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Group, string Resource), Entry> _byResource = [];
    private readonly List<Entry> _all = []; // also a watch on metadata that one by type came to stand beside
    private readonly List<Task> _running = [];
    private CancellationToken? _stopping;

    private sealed record Entry(IObjectFeed Feed, Func<CancellationToken, Task> Run, CancellationTokenSource? Stop = null);

    public Informer<T> Of<T>() where T : class, IObject
    {
        lock (_gate)
        {
            var resource = ApiResources.Of<T>();
            if (_byResource.TryGetValue(KeyOf(resource), out var found) && found.Feed is Informer<T> known)
                return known;
            return Added(new Informer<T>(client.For<T>(), time, random, onError));
        }
    }

    /// <summary>A kind whose definition may be a user's: in whichever of its versions is served, and also where objects do not fit the type.</summary>
    public Informer<T> OfCustom<T>() where T : class, IObject
    {
        lock (_gate)
        {
            if (_byResource.TryGetValue(KeyOf(ApiResources.Of<T>()), out var found) && found.Feed is Informer<T> known)
                return known;
            var kind = KindInfo.Of<T>();
            return Added(new Informer<T>(client.ForCustom<T>(kind.Kind.Version), time, random, onError, older: [.. kind.OlderVersions.Select(client.ForCustom<T>)]));
        }
    }

    public ObjectCache<T> Cache<T>() where T : class, IObject => Of<T>().Cache;

    /// <summary>Any resource: by the informer of its type where there is one, else by a watch on metadata alone.</summary>
    public IObjectFeed Feed(ApiResource resource)
    {
        lock (_gate)
        {
            if (_byResource.TryGetValue(KeyOf(resource), out var found))
                return found.Feed;
            var informer = new Informer<PartialObjectMetadata>(client.Metadata(resource), time, random, onError);
            var stop = new CancellationTokenSource();
            Add(new Entry(informer, stopping => RunUntilAsync(informer, stop, stopping), stop));
            return informer;
        }
    }

    /// <summary>Ends the watch on a resource that is served no more; one by type stays.</summary>
    public void Drop(ApiResource resource)
    {
        lock (_gate)
        {
            if (_byResource.TryGetValue(KeyOf(resource), out var found) && found.Stop is { } stop)
            {
                _byResource.Remove(KeyOf(resource));
                _all.Remove(found);
                stop.Cancel();
            }
        }
    }

    /// <summary>Starts all; those asked for later start at once.</summary>
    public void Start(CancellationToken stopping)
    {
        lock (_gate)
        {
            if (_stopping is not null)
                throw new InvalidOperationException("The informers run already.");
            _stopping = stopping;
            foreach (var entry in _all)
                _running.Add(entry.Run(stopping));
        }
    }

    /// <summary>Ends when every informer of now has its first list.</summary>
    public Task SyncedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.WhenAll(_all.Select(entry => entry.Feed.Synced)).WaitAsync(cancellationToken);
    }

    /// <summary>Ends after the token of <see cref="Start"/> was cancelled and every watch is closed.</summary>
    public Task StoppedAsync()
    {
        lock (_gate)
            return Task.WhenAll(_running);
    }

    private Informer<T> Added<T>(Informer<T> informer) where T : class, IObject
    {
        Add(new Entry(informer, informer.RunAsync));
        return informer;
    }

    private void Add(Entry entry)
    {
        _byResource[KeyOf(entry.Feed.Resource)] = entry;
        _all.Add(entry);
        if (_stopping is { } stopping)
            _running.Add(entry.Run(stopping));
    }

    private static async Task RunUntilAsync(Informer<PartialObjectMetadata> informer, CancellationTokenSource stop, CancellationToken stopping)
    {
        using (stop)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, stopping);
            await informer.RunAsync(either.Token);
        }
    }

    // Versions of a resource show the same objects.
    private static (string, string) KeyOf(ApiResource resource) => (resource.Resource.Group, resource.Resource.Resource);
}
