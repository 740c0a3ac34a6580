using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Telemetries;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Feed;

/// <summary>Follows the ConfigMap of Istio's mesh configuration. A text that cannot be used is told by an event on it, and what held before it goes on.</summary>
internal sealed class MeshConfigFeed : IAsyncDisposable
{
    // One that cannot be read by then counts as missing until it is.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Informer<ConfigMap> _informer;
    private readonly ObjectKey _key;
    private readonly EventRecorder _events;
    private readonly IDisposable _subscription;
    private readonly TimeProvider _time;
    private readonly Task _running;
    private string? _read;
    private TelemetrySettings _settings = new();

    /// <param name="changed">Called at each change, on whichever thread.</param>
    public MeshConfigFeed(KubeClient client, string rootNamespace, TimeProvider time, Random random, ILogger logger, Action<ApiResource, Exception> onError, Action changed)
    {
        _key = new ObjectKey(rootNamespace, MeshConfigReader.ConfigMap);
        _time = time;
        _events = new EventRecorder(client, MeshFeed.Account, time, logger);
        _informer = new Informer<ConfigMap>(client.For<ConfigMap>(), time, random, onError, rootNamespace, $"metadata.name={MeshConfigReader.ConfigMap}");
        _subscription = _informer.Cache.Subscribe(_ => changed());
        _running = _informer.RunAsync(_stop.Token);
    }

    /// <summary>Ends when it was read once, or cannot be.</summary>
    public async Task SyncedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _informer.Synced.WaitAsync(Patience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Its first list is a change like any other.
        }
    }

    /// <summary>What it says of telemetry; by default without one. One caller at a time.</summary>
    public TelemetrySettings Read()
    {
        var map = _informer.Cache.Find(_key);
        var text = map?.Data.GetValueOrDefault(MeshConfigReader.Key) ?? "";
        if (text == _read)
            return _settings;
        _read = text;
        var (settings, problems) = MeshConfigReader.Read(text);
        if (map is not null && problems.Count > 0)
            _events.Warning(map, settings is null ? "MeshConfigInvalid" : "MeshConfigIgnored", (settings is null ? "not taken, and what held before goes on: " : "") + string.Join("; ", problems.Take(5)));
        return _settings = settings ?? _settings;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _subscription.Dispose();
        await _events.DisposeAsync();
        _stop.Dispose();
    }
}
