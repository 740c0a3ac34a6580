using System.Text.Json;
using Weft.Api;

namespace Weft.Client;

/// <summary>Keeps an <see cref="ObjectCache{T}"/> current: list, then watch with bookmarks; again from the last revision, or from a new list after 410.</summary>
public sealed class Informer<T> : IObjectFeed where T : class, IObject
{
    // As client-go: 5 to 10 minutes, so that the watches of many clients do not end together.
    private static readonly TimeSpan MinWatch = TimeSpan.FromMinutes(5);

    // How much longer than it asked for a watch may last before the connection counts as dead.
    private static readonly TimeSpan Overtime = TimeSpan.FromSeconds(30);

    // A watch that ends sooner without an event is a failing server: without a pause we would hammer it.
    private static readonly TimeSpan TooShort = TimeSpan.FromSeconds(1);

    // A kind that is to be served at the server's start may be some rounds late; after these nobody serves it, so that there are no objects.
    private const int RoundsUntilGone = 4;

    private readonly IReadOnlyList<ResourceClient<T>> _versions;
    private readonly string? _namespace;
    private readonly string? _fieldSelector;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Action<ApiResource, Exception> _onError;
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _revision;
    private volatile int _version;
    private int _missing;

    /// <param name="onError">Told of every failure; the informer goes on by itself.</param>
    /// <param name="fieldSelector">Only these objects: `spec.nodeName=n1`.</param>
    /// <param name="older">Other versions of the resource, which are followed where the first is not served: a user's definition of a custom kind may lack it.</param>
    public Informer(
        ResourceClient<T> client, TimeProvider time, Random random, Action<ApiResource, Exception> onError, string? @namespace = null,
        string? fieldSelector = null, IReadOnlyList<ResourceClient<T>>? older = null)
    {
        _versions = [client, .. older ?? []];
        _namespace = @namespace;
        _fieldSelector = fieldSelector;
        _time = time;
        _random = random;
        _onError = onError;
    }

    /// <summary>In the version that is followed now.</summary>
    public ApiResource Resource => _versions[_version].Resource;

    public ObjectCache<T> Cache { get; } = new();

    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>Ends when the first list is in the cache and was told to the subscribers of that time.</summary>
    public Task Synced => _synced.Task;

    public IDisposable SubscribeToObjects(Action<Change<IObject>> onChange) =>
        Cache.Subscribe(change => onChange(new Change<IObject>(change.Old, change.New)));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            Exception? failure = null;
            try
            {
                if (await FollowAsync(cancellationToken))
                {
                    failures = 0;
                    continue;
                }
            }
            catch (ApiStatusException gone) when (gone.IsGone)
            {
                _revision = null;
                if (failures++ == 0)
                    continue; // expected after a long break: the new list need not wait
            }
            catch (ApiStatusException missing) when (missing.IsNotFound && _version != 0)
            {
                continue; // with an older version
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                // Whatever it is: nobody would see that a cache has stopped, and all that is made of it would stand still.
                failure = failed;
            }

            if (failure is not null)
                _onError(Resource, failure);
            await Task.Delay(Backoff.Reconnect.Delay(++failures, _random), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>As <see cref="WatchAsync"/>.</returns>
    private async Task<bool> FollowAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_revision is null)
                await ListAsync(cancellationToken);
            return await WatchAsync(cancellationToken);
        }
        catch (ApiStatusException missing) when (missing.IsNotFound)
        {
            NextVersion();
            throw;
        }
    }

    private void NextVersion()
    {
        _revision = null;
        _version = (_version + 1) % _versions.Count;
        if (_version != 0 || ++_missing < RoundsUntilGone)
            return;
        Cache.Replace([], "0");
        _synced.TrySetResult();
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        var page = await _versions[_version].ListAsync(_namespace, cancellationToken, new ListOptions { FieldSelector = _fieldSelector });
        Cache.Replace(page.Items, page.ResourceVersion);
        _revision = page.ResourceVersion;
        _missing = 0;
        _synced.TrySetResult();
    }

    /// <returns>False when the watch ended so soon that something is wrong.</returns>
    private async Task<bool> WatchAsync(CancellationToken cancellationToken)
    {
        double spread;
        lock (_random)
            spread = _random.NextDouble();
        var timeout = MinWatch * (1 + spread);
        using var guard = new CancellationTokenSource(timeout + Overtime, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, guard.Token);
        var started = _time.GetTimestamp();
        var events = 0;
        try
        {
            var options = new WatchOptions { FieldSelector = _fieldSelector, ResourceVersion = _revision, Bookmarks = true, Timeout = timeout };
            await foreach (var change in _versions[_version].WatchAsync(_namespace, options, linked.Token))
            {
                Cache.Apply(change);
                _revision = change.Object.Metadata.ResourceVersion ?? _revision;
                events++;
            }
        }
        catch (OperationCanceledException) when (guard.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The watch on {Resource} went silent.");
        }
        catch (Exception cut) when (events > 0 && cut is IOException or HttpRequestException)
        {
            return true; // a stream that worked and broke: go on at once from where it was
        }

        return events > 0 || _time.GetElapsedTime(started) > TooShort;
    }
}
