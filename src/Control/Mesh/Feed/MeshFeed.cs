using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Weft.Api.Istio;
using Weft.Client;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Secrets;
using Weft.Control.Mesh.Status;
using Weft.Control.Mesh.Zones;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh.Feed;

/// <summary>Keeps the proxies' mesh as the cluster's objects are, and tells the objects so.</summary>
public sealed partial class MeshFeed : IAsyncDisposable
{
    /// <summary>The service account under which statuses are written and Secrets are read.</summary>
    public const string Account = "mesh-controller";

    // Many proxies answer at once: after the first a rest for the others.
    private static readonly TimeSpan ListenRest = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ListenPatience = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly MeshSources _sources;
    private readonly SecretFeed _secretFeed;
    private readonly SecretUnits _secrets;
    private readonly MeshConfigFeed _config;
    private readonly MeshStatusWriter _statuses;
    private readonly HostAddressWriter _addresses;
    private readonly ConfigHub _hub;
    private readonly MeshFeedOptions _options;
    private readonly PacedLoop _loop;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NextSteps _steps = new();
    private Task _running = Task.CompletedTask;

    // Beside the compiler's.
    private Dictionary<UnitKey, ConfigUnit> _published = [];
    private IReadOnlyDictionary<ObjectRef, ObjectVerdict> _verdicts = new Dictionary<ObjectRef, ObjectVerdict>();
    private MeshSnapshot? _snapshot;
    private (ImmutableArray<ServiceEntry> Own, ImmutableArray<ServiceEntry> More, ImmutableArray<ServiceEntry> All) _entries = ([], [], []);
    private IDisposable? _hosts;

    private MeshFeed(Informers informers, KubeClient client, ConfigHub hub, MeshFeedOptions options, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        (_hub, _options, _time) = (hub, options, time);
        _logger = loggers.CreateLogger("Weft.Control.Mesh");
        // Until a step succeeds what was published stays.
        _loop = new(CompileAsync, (defect, pause) => Log.Failed(_logger, defect, pause.TotalSeconds), time, random);
        _sources = new(informers, options.IsOn, Changed);
        _secretFeed = new(client, time, random, (_, failed) => Log.SecretsFailed(_logger, failed.Message), Changed);
        _secrets = new(_secretFeed);
        _config = new(client, options.Settings, time, random, loggers.CreateLogger("Weft.Control." + Account), (_, failed) => Log.ConfigFailed(_logger, failed.Message), Changed);
        _addresses = new(_sources.Entries, client, time, random, loggers.CreateLogger("Weft.Control." + Account));
        _statuses = new(_sources.Targets, client, hub, time, random, loggers.CreateLogger("Weft.Control." + Account));
    }

    /// <summary>Publishes what there is, and goes on with every change. When this returns, everything has been published once.</summary>
    /// <param name="client">For statuses and Secrets; everything else comes from the informers.</param>
    public static async Task<MeshFeed> StartAsync(
        Informers informers, KubeClient client, ConfigHub hub, MeshFeedOptions options, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var feed = new MeshFeed(informers, client, hub, options, time, random, loggers);
        try
        {
            await Task.WhenAll(feed._sources.SyncedAsync(cancellationToken), feed._config.SyncedAsync(cancellationToken));
            feed._hosts = options.Hosts?.Subscribe(feed.Changed);
            feed.Changed();
            feed._running = Task.WhenAll(
                Task.Run(() => feed._loop.RunAsync(feed._stopping.Token), CancellationToken.None), Task.Run(feed.ListenAsync, CancellationToken.None), Task.Run(() => feed._statuses.RunAsync(feed._stopping.Token), CancellationToken.None),
                Task.Run(() => feed._addresses.RunAsync(feed._stopping.Token), CancellationToken.None));
            await feed._loop.First.WaitAsync(cancellationToken);
            return feed;
        }
        catch
        {
            await feed.DisposeAsync();
            throw;
        }
    }

    private void Changed() => _loop.Changed();

    /// <summary>Ends with the version of the configuration that has every change of endpoints that the cache has now.</summary>
    public Task<ulong> CompiledAsync()
    {
        // Before: the step that is waited for reads after this.
        _sources.DoubtEndpoints();
        var next = _steps.Next;
        Changed();
        return next;
    }

    private async Task CompileAsync(CancellationToken cancellationToken)
    {
        _steps.Begin();
        _steps.End(await StepAsync(cancellationToken));
    }

    private async Task<ulong> StepAsync(CancellationToken cancellationToken)
    {
        var (inputs, meshes) = _sources.Read(_config.Read());
        if (_options.Hosts is { } hosts)
            inputs = inputs with { ServiceEntries = Joined(inputs.ServiceEntries, hosts.Read()) };
        var before = _snapshot?.Index!.Inputs.Secrets ?? [];
        inputs = inputs with { Secrets = await _secrets.ReadDoorAsync(inputs with { Secrets = before }, cancellationToken) };
        var (snapshot, quarantined) = Quarantine.Compile(inputs, _snapshot);
        var (secrets, ofSecrets) = await _secrets.ReadAsync(snapshot.Index!.Inputs, snapshot.Units, cancellationToken);
        var (zones, ofZones) = ServiceMeshZones.Of(meshes, _options.Settings.ClusterDomain);
        var version = Publish(snapshot, [.. secrets, .. zones]);
        Volatile.Write(ref _snapshot, snapshot);
        _options.Compiled?.Invoke(snapshot);
        _verdicts = Verdicts.Of(_sources.Objects, [.. snapshot.Diagnostics, .. quarantined, .. ofSecrets, .. ofZones], _verdicts, version, _time.GetUtcNow());
        _statuses.Tell(_verdicts);
        if (_options.IsOn)
            _addresses.Tell(snapshot.Index!.HostAddresses);
        if (!_options.IsOn)
            _statuses.Reject(Verdicts.Off(_sources.Objects));
        return version;
    }

    // The same array where both parts are as they were: the compiler looks no further then.
    private ImmutableArray<ServiceEntry> Joined(ImmutableArray<ServiceEntry> own, ImmutableArray<ServiceEntry> more)
    {
        if (own != _entries.Own || more != _entries.More)
            _entries = (own, more, more.IsEmpty ? own : [.. own, .. more]);
        return _entries.All;
    }

    // Of the compiler's units what it has changed, where it began with what was published.
    private ulong Publish(MeshSnapshot snapshot, ImmutableArray<ConfigUnit> beside)
    {
        var next = beside.ToDictionary(unit => unit.Key);
        var changes = snapshot.Before is not null && snapshot.Before == _snapshot?.Self ? snapshot.Changes : Differences(_snapshot?.Units ?? [], snapshot.Units);
        var version = _hub.Update(
            changes.Values.OfType<ConfigUnit>().Concat(beside.Where(unit => !_published.TryGetValue(unit.Key, out var known) || known.Hash != unit.Hash)),
            changes.Where(change => change.Value is null).Select(change => change.Key).Concat(_published.Keys.Where(key => !next.ContainsKey(key))));
        _published = next;
        return version;
    }

    private static Dictionary<UnitKey, ConfigUnit?> Differences(ImmutableArray<ConfigUnit> before, ImmutableArray<ConfigUnit> now)
    {
        var changes = before.ToDictionary(unit => unit.Key, _ => (ConfigUnit?)null);
        foreach (var unit in now)
            changes[unit.Key] = unit;
        return changes;
    }

    private async Task ListenAsync()
    {
        var stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var (proxies, next) = _hub.Look();
                if (_options.IsOn && Volatile.Read(ref _snapshot) is { } snapshot)
                    _statuses.Reject(Verdicts.Rejections(proxies, snapshot));
                _statuses.Heard();
                await Task.Delay(ListenRest, _time, stopping);
                await next.WaitAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                Log.Failed(_logger, failed, ListenPatience.TotalSeconds);
                await Task.Delay(ListenPatience, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _hosts?.Dispose();
        _sources.Dispose();
        _statuses.Dispose();
        _addresses.Dispose();
        await _secretFeed.DisposeAsync();
        await _config.DisposeAsync();
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The mesh could not be compiled, and what was published before stays; again in {Seconds:0.0} s", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, Exception exception, double seconds);

        [LoggerMessage(LogLevel.Warning, "The mesh configuration cannot be followed, and is tried again: {Reason}", EventName = nameof(ConfigFailed))]
        public static partial void ConfigFailed(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "A Secret that the mesh needs cannot be followed, and is tried again: {Reason}", EventName = nameof(SecretsFailed))]
        public static partial void SecretsFailed(ILogger logger, string reason);
    }
}
