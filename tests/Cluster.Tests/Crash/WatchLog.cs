using Weft.Api.Core;
using Weft.Client;
using Weft.Testing;

namespace Weft.Cluster.Tests.Crash;

/// <summary>
/// A watcher of ConfigMaps that goes on from the last resourceVersion it saw when its connection ends, as a client does. It notes what it is shown,
/// and everything that a client could not live with.
/// </summary>
internal sealed class WatchLog(KubeClient client, string @namespace, string prefix) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Dictionary<string, string> _shown = [];
    private readonly List<string> _wrongs = [];
    private Task _running = Task.CompletedTask;
    private long _last;

    /// <summary>How often the connection ended, and how often the server answered 410.</summary>
    internal int Reconnects { get; private set; }
    internal int Relists { get; private set; }

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        _last = Revision((await client.For<ConfigMap>().ListAsync(@namespace, cancellationToken)).ResourceVersion);
        _running = RunAsync(_ended.Token);
    }

    internal async Task SeesAsync(int count)
    {
        await Eventually.TrueAsync(() => _running.IsCompleted || Count() >= count, $"the watcher sees {count}", () => $"{Count()} seen, {Reconnects} reconnects");
        if (_running.IsFaulted)
            await _running;
    }

    /// <summary>Name → "uid resourceVersion", of every object ever shown.</summary>
    internal IReadOnlyDictionary<string, string> Shown
    {
        get
        {
            lock (_lock)
                return new Dictionary<string, string>(_shown);
        }
    }

    internal IReadOnlyList<string> Wrongs
    {
        get
        {
            lock (_lock)
                return [.. _wrongs];
        }
    }

    internal static string Life(ConfigMap map) => $"{map.Metadata.Uid} {map.Metadata.ResourceVersion}";

    private int Count()
    {
        lock (_lock)
            return _shown.Count;
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var change in client.For<ConfigMap>().WatchAsync(@namespace, new() { ResourceVersion = $"{_last}" }, cancellationToken))
                    Note(change);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (ApiStatusException gone) when (gone.IsGone)
            {
                await RelistAsync(cancellationToken);
            }
            catch (Exception away) when (ServerAway.Is(away))
            {
                Reconnects++;
                await ServerAway.PauseAsync(cancellationToken);
            }
        }
    }

    private void Note(WatchEvent<ConfigMap> change)
    {
        var name = change.Object.Metadata.Name ?? ""; // a bookmark has none
        var revision = Revision(change.Object.Metadata.ResourceVersion);
        lock (_lock)
        {
            if (revision <= _last && change.Type != WatchEventType.Bookmark)
                _wrongs.Add($"{change.Type} {name} at {revision} came after {_last}");
            _last = Math.Max(_last, revision);
            if (change.Type == WatchEventType.Added && name.StartsWith(prefix, StringComparison.Ordinal) && !_shown.TryAdd(name, Life(change.Object)))
                _wrongs.Add($"{name} was added twice: {_shown[name]}, then {Life(change.Object)}");
        }
    }

    private async Task RelistAsync(CancellationToken cancellationToken)
    {
        try
        {
            var list = await client.For<ConfigMap>().ListAsync(@namespace, cancellationToken);
            lock (_lock)
            {
                foreach (var item in list.Items.Where(item => item.Metadata.Name!.StartsWith(prefix, StringComparison.Ordinal)))
                    _shown[item.Metadata.Name!] = Life(item);
                if (Revision(list.ResourceVersion) < _last)
                    _wrongs.Add($"a list at {list.ResourceVersion} after an event at {_last}");
                _last = Revision(list.ResourceVersion);
            }

            Relists++;
        }
        catch (Exception away) when (ServerAway.Is(away))
        {
            await ServerAway.PauseAsync(cancellationToken); // the next watch is answered 410 again
        }
    }

    private static long Revision(string? text) => long.Parse(text!, System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // it was pausing
        }

        _ended.Dispose();
    }
}

/// <summary>What a client meets while the server is dead or starting.</summary>
internal static class ServerAway
{
    internal static bool Is(Exception failure) => failure is HttpRequestException or IOException or TimeoutException or ApiStatusException { Code: >= 500 };

    internal static Task PauseAsync(CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
}
