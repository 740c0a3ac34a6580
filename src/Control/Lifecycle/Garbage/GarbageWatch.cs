using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Feeds the owner graph from every resource that the server has now, and says what to look at.</summary>
internal sealed partial class GarbageWatch(ControllerTools tools, OwnerGraph graph)
{
    // Custom kinds that are served by someone else's API server announce themselves by nothing but discovery.
    private static readonly TimeSpan RediscoverEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    // A definition is told before its kind is served: one more look when that has settled.
    private static readonly TimeSpan AfterChange = TimeSpan.FromSeconds(3);

    private readonly Dictionary<(string Group, string Resource), IDisposable> _subscriptions = [];
    private readonly SemaphoreSlim _changed = new(0, 1);

    public Action<GarbageKey> Enqueue { get; set; } = static _ => { };

    public ResourceMap Resources { get; private set; } = ResourceMap.Empty;

    /// <summary>Follows the set of resources. <paramref name="ready"/> is called once when every object of the first set is in the graph.</summary>
    public async Task RunAsync(Action ready, CancellationToken stopping)
    {
        using var definitions = tools.Informers.Feed(ApiResources.Of<CustomResourceDefinition>()).SubscribeToObjects(_ => Changed());
        var started = false;
        var changed = false;
        while (!stopping.IsCancellationRequested)
        {
            var pause = changed ? AfterChange : RediscoverEvery;
            try
            {
                await RefreshAsync(stopping);
                if (!started)
                    ready();
                started = true;
            }
            catch (Exception failed) when (failed is ApiStatusException or HttpRequestException or IOException or TimeoutException or System.Text.Json.JsonException)
            {
                Log.DiscoveryFailed(tools.Logger, failed.Message);
                pause = AfterFailure;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            using var timer = new CancellationTokenSource(pause, tools.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stopping);
            await _changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            changed = !timer.IsCancellationRequested;
        }
    }

    /// <summary>An object that the server does not have any more: what depended on it must be looked at.</summary>
    public void Forget(GraphNode node)
    {
        graph.Remove(node.Uid);
        foreach (var dependent in graph.DependentsOf(node.Uid))
            Enqueue(new GarbageKey(dependent.Uid, false));
        // An owner that waits in the foreground may now be free.
        foreach (var owner in node.Owners)
        {
            if (graph.Find(owner.Uid) is { WaitsForDependents: true })
                Enqueue(new GarbageKey(owner.Uid, false));
        }
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var discovered = await Weft.Client.Discovery.ReadAsync(tools.Client, cancellationToken);
        var collectable = discovered.Resources.Where(ResourceMap.IsCollectable).ToDictionary(KeyOf);
        Resources = new ResourceMap([.. discovered.Resources]);

        // A group that gave no answer is not gone: its watches stay.
        foreach (var (key, subscription) in _subscriptions.ToList())
        {
            if (collectable.ContainsKey(key) || discovered.Failed.Any(path => path.StartsWith($"/apis/{key.Group}/", StringComparison.Ordinal)))
                continue;
            subscription.Dispose();
            _subscriptions.Remove(key);
            foreach (var node in graph.All().Where(node => KeyOf(node.Resource) == key))
            {
                tools.Informers.Drop(node.Resource);
                Forget(node);
            }
        }

        var added = new List<IObjectFeed>();
        foreach (var (key, resource) in collectable)
        {
            if (_subscriptions.ContainsKey(key))
                continue;
            var feed = tools.Informers.Feed(resource);
            _subscriptions[key] = feed.SubscribeToObjects(change => OnChange(feed.Resource, change));
            added.Add(feed);
        }

        await Task.WhenAll(added.Select(feed => feed.Synced)).WaitAsync(cancellationToken);
        if (added.Count == 0)
            return;
        // An owner of a kind that was not served could not be looked up; now it can.
        foreach (var node in graph.All().Where(node => !node.Terminating && node.Owners.Any(owner => Doubtful(owner, node))))
            Enqueue(new GarbageKey(node.Uid, false));
    }

    private void OnChange(ApiResource resource, Change<IObject> change)
    {
        if (change.New is null)
        {
            Forget(GraphNode.Of(resource, change.Old!));
            return;
        }

        var node = GraphNode.Of(resource, change.New);
        graph.Set(node);
        if (node.Orphans)
            Enqueue(new GarbageKey(node.Uid, true));
        if (node.WaitsForDependents)
        {
            Enqueue(new GarbageKey(node.Uid, false));
            foreach (var dependent in graph.DependentsOf(node.Uid))
                Enqueue(new GarbageKey(dependent.Uid, false));
        }
        else if (!node.Terminating && node.Owners.Any(owner => Doubtful(owner, node)))
        {
            Enqueue(new GarbageKey(node.Uid, false));
        }

        // One blocking reference less may free the owner.
        foreach (var owner in change.Old?.Metadata.OwnerReferences ?? [])
        {
            if (graph.Find(owner.Uid) is { WaitsForDependents: true })
                Enqueue(new GarbageKey(owner.Uid, false));
        }
    }

    private bool Doubtful(OwnerReference owner, GraphNode node) =>
        graph.Find(owner.Uid) is not { } known || !known.IsMeantBy(owner, node.Key.Namespace) || known.WaitsForDependents;

    private void Changed()
    {
        // Many definitions at once need one discovery.
        if (_changed.CurrentCount == 0)
        {
            try
            {
                _changed.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another change came first: the one discovery serves both.
            }
        }
    }

    private static (string, string) KeyOf(ApiResource resource) => (resource.Resource.Group, resource.Resource.Resource);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Garbage collector: the resources of the server are not known yet: {Reason}", EventName = nameof(DiscoveryFailed))]
        public static partial void DiscoveryFailed(ILogger logger, string reason);
    }
}
