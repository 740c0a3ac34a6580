using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Proxy.Config;

namespace Weft.Control.Names;

/// <summary>Where the cluster's names are: of its zone, and of the server that answers for it.</summary>
public sealed record NamesOptions(string Domain, string ServerAddress, IReadOnlyList<string> ReverseRanges);

/// <summary>Keeps the proxies' names as the cluster's objects are.</summary>
public sealed class NamesFeed : IDisposable
{
    private readonly List<IDisposable> _subscriptions = [];

    private NamesFeed()
    {
    }

    /// <summary>Publishes everything that is there, and goes on with every change.</summary>
    public static async Task<NamesFeed> StartAsync(Informers informers, ConfigHub hub, NamesOptions options, CancellationToken cancellationToken)
    {
        var feed = new NamesFeed();
        hub.Publish(NamesCompiler.Zone(options.Domain, [options.ServerAddress], options.ReverseRanges));
        await feed.FollowAsync(informers.Of<Service>(), hub, NamesCompiler.KeyOf, NamesCompiler.Compile, cancellationToken);
        await feed.FollowAsync(informers.Of<EndpointSlice>(), hub, NamesCompiler.KeyOf, NamesCompiler.Compile, cancellationToken);
        await feed.FollowAsync(informers.Of<Pod>(), hub, NamesCompiler.KeyOf, NamesCompiler.Compile, cancellationToken);
        return feed;
    }

    private async Task FollowAsync<T>(Informer<T> informer, ConfigHub hub, Func<T, UnitKey> keyOf, Func<T, ConfigUnit?> compile, CancellationToken cancellationToken)
        where T : class, IObject
    {
        await informer.Synced.WaitAsync(cancellationToken);
        var cache = informer.Cache;
        var gate = new Lock();
        var last = new Dictionary<ObjectKey, T>(); // what was compiled: the same object is not compiled again
        _subscriptions.Add(cache.Subscribe(change => Refresh(change.Current)));
        // The cache tells what is there on whichever thread is free: what it has not told yet is read here, so that "complete" is true.
        foreach (var value in cache.All())
            Refresh(value);

        void Refresh(T changed)
        {
            // The present state by key, under one lock: an old event never undoes a newer one.
            lock (gate)
            {
                var key = new ObjectKey(changed.Metadata.Namespace ?? "", changed.Metadata.Name ?? "");
                var now = cache.Find(key);
                if (ReferenceEquals(now, last.GetValueOrDefault(key)) && now is not null)
                    return;
                if (now is null)
                    last.Remove(key);
                else
                    last[key] = now;
                if (now is not null && compile(now) is { } unit)
                    hub.Publish(unit);
                else
                    hub.Remove(keyOf(changed));
            }
        }
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }
}
