using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Feed;

/// <summary>
/// What holds for the whole mesh, by the ConfigMap where Istio's users look for it: `istio` in the root namespace, entry `mesh`. What is wrong in it is told by an event on it. A text that cannot be read
/// changes nothing; where nothing that can be read came before, hosts that nobody knows may not be called, as it may have been written to forbid that.
/// </summary>
internal sealed class MeshConfigFeed : IAsyncDisposable
{
    private const int MostTold = 5;

    // One that cannot be asked for by then counts as missing until it can.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly MeshSettings _usual;
    private readonly ObjectKey _key;
    private readonly Informer<ConfigMap> _informer;
    private readonly EventRecorder _events;
    private readonly CancellationTokenSource _stopping = new();
    private readonly IDisposable _subscription;
    private readonly TimeProvider _time;
    private readonly Task _running;
    private string? _text;
    private MeshSettings? _good;
    private MeshSettings _settings;

    /// <param name="usual">Without the ConfigMap.</param>
    /// <param name="changed">Called at each change, on whichever thread.</param>
    public MeshConfigFeed(KubeClient client, MeshSettings usual, TimeProvider time, Random random, ILogger logger, Action<ApiResource, Exception> onError, Action changed)
    {
        (_usual, _settings, _time) = (usual, usual, time);
        _key = new ObjectKey(usual.RootNamespace, MeshConfigMap.Name);
        _events = new EventRecorder(client, MeshFeed.Account, time, logger);
        _informer = new Informer<ConfigMap>(client.For<ConfigMap>(), time, random, onError, usual.RootNamespace, $"metadata.name={_key.Name}");
        _subscription = _informer.Cache.Subscribe(_ => changed());
        _running = _informer.RunAsync(_stopping.Token);
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

    /// <summary>The same instance as long as the text is. One caller at a time.</summary>
    public MeshSettings Read()
    {
        var map = _informer.Cache.Find(_key);
        var text = map?.Data.GetValueOrDefault(MeshConfigMap.Key) ?? "";
        if (text == _text)
            return _settings;
        _text = text;
        var read = MeshConfigMap.Read(_usual, text);
        if (map is not null && read.Problems.Count > 0)
        {
            var lost = read.Settings is null ? "not taken, and what held before goes on: " : read.KeepsTelemetry ? "what it says of telemetry is not taken, and what held before goes on: " : "";
            _events.Warning(map, lost.Length > 0 ? "MeshConfigInvalid" : "MeshConfigIgnored", lost + string.Join("; ", read.Problems.Take(MostTold)));
        }

        if (read.Settings is { } settings)
            _good = read.KeepsTelemetry ? settings with { Telemetry = _settings.Telemetry } : settings;
        return _settings = _good ?? _usual with { AllowAny = false };
    }

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _events.DisposeAsync();
        _stopping.Dispose();
    }
}
