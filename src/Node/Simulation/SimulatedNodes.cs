using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Coordination;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Client;

namespace Weft.Node.Simulation;

/// <param name="Count">Nodes there should be; those above are deleted.</param>
public sealed record SimulationOptions(int Count)
{
    /// <summary>Half of the grace, so that one late renewal is no lost node: a thousand nodes are then 50 writes a second.</summary>
    public TimeSpan LeasePeriod { get; init; } = TimeSpan.FromSeconds(20);
    public string Version { get; init; } = "v1.33.0+weft";

    /// <summary>Writes in flight: what a store's group commit makes one fsync of.</summary>
    public int Parallel { get; init; } = 32;
}

/// <summary>
/// Plays nodes, for tests of scale: they register and renew their leases, pods on them become Running with an address, and go when they are deleted.
/// Nothing runs. All of them share one watch of pods and a few workers, so that a thousand cost what one does, and the writes.
/// </summary>
public sealed partial class SimulatedNodes : IAsyncDisposable
{
    private const string LeaseNamespace = "kube-node-lease";

    private readonly SimulationOptions _options;
    private readonly KubeClient _client;
    private readonly ObjectCache<Pod> _pods;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly SimulatedAddresses _addresses = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private IDisposable? _subscription;

    private SimulatedNodes(SimulationOptions options, KubeClient client, ObjectCache<Pod> pods, TimeProvider time, Random random, ILogger logger)
    {
        (_options, _client, _pods, _time, _logger) = (options, client, pods, time, logger);
        _queue = new WorkQueue<ObjectKey>(time, random);
    }

    /// <summary>Returns when all nodes are in the API.</summary>
    /// <param name="pods">A cache of all pods that somebody keeps current.</param>
    public static async Task<SimulatedNodes> StartAsync(
        SimulationOptions options, KubeClient client, ObjectCache<Pod> pods, TimeProvider time, Random random, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var nodes = new SimulatedNodes(options, client, pods, time, random, loggers.CreateLogger<SimulatedNodes>());
        try
        {
            await nodes.RegisterAsync(cancellationToken);
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }

        nodes.Run();
        return nodes;
    }

    private async Task RegisterAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var nodes = _client.For<Api.Core.Node>();
        var present = (await nodes.ListAsync(null, cancellationToken, new ListOptions { LabelSelector = SimulatedNode.Label + "=true" })).Items.Select(node => node.Metadata.Name!).ToHashSet(StringComparer.Ordinal);
        await ForEachAsync(present.Where(name => SimulatedNode.Number(name) is not { } number || number > _options.Count), name => nodes.DeleteIfThereAsync(new ObjectKey("", name), cancellationToken), cancellationToken);
        await ForEachAsync(Enumerable.Range(1, _options.Count), async number =>
        {
            if (!present.Contains(SimulatedNode.Name(number)))
                await nodes.CreateAsync(null, SimulatedNode.Make(number, _options.Version, _time.GetUtcNow()), cancellationToken);
            await RenewAsync(number, cancellationToken);
        }, cancellationToken);
        if (_options.Count > 0)
            Log.Registered(_logger, _options.Count, _time.GetElapsedTime(started).TotalMilliseconds);
    }

    private void Run()
    {
        if (_options.Count == 0)
            return;
        foreach (var pod in _pods.All().Where(IsOurs))
        {
            if (pod.Status.PodIP is { Length: > 0 } address)
                _addresses.Keep(pod.Metadata.Uid ?? "", address);
        }

        _subscription = _pods.Subscribe(change =>
        {
            if (change.New is null && IsOurs(change.Old!))
                _addresses.TakeBack(change.Old!.Metadata.Uid ?? "");
            else if (change.New is { } pod && IsOurs(pod) && (pod.Metadata.DeletionTimestamp is not null || pod.Status.Phase is null or "Pending"))
                _queue.Add(KeyOf(pod));
        });
        // Those that were placed before anybody listened.
        foreach (var pod in _pods.All().Where(IsOurs))
            _queue.Add(KeyOf(pod));
        _running.AddRange(Enumerable.Range(0, _options.Parallel).Select(_ => _queue.WorkAsync(TakeTurnAsync, Failed, _stop.Token)));
        _running.Add(KeepAliveAsync());
    }

    private static ObjectKey KeyOf(Pod pod) => new(pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "");

    private static bool IsOurs(Pod pod) => SimulatedNode.Number(pod.Spec.NodeName) is not null;

    private async Task TakeTurnAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            await PlayAsync(key, cancellationToken);
        }
        catch (ApiStatusException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // another life of the name, or none
        }
    }

    private void Failed(ObjectKey key, Exception failure, TimeSpan delay) => Log.NotPlayed(_logger, key, failure.Message);

    private async Task PlayAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_pods.Find(key) is not { } pod || !IsOurs(pod))
            return;
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            await _client.For<Pod>().DeleteIfThereAsync(key, cancellationToken, new Deletion { GracePeriodSeconds = 0, Uid = pod.Metadata.Uid });
            return;
        }

        var address = _addresses.Give(pod.Metadata.Uid ?? "");
        if (address is not null && SimulatedNode.Started(pod, address, _time.GetUtcNow()) is { } patch)
            await _client.For<Pod>().PatchStatusAsync(key, patch, cancellationToken);
    }

    // Spread over the period: a thousand renewals at once would be a wave in everybody's latency.
    private async Task KeepAliveAsync()
    {
        const int Slices = 100;
        var renewals = new List<Task>();
        try
        {
            for (var slice = 0; ; slice = (slice + 1) % Slices)
            {
                await Task.Delay(_options.LeasePeriod / Slices, _time, _stop.Token);
                renewals.RemoveAll(task => task.IsCompleted);
                for (var number = slice + 1; number <= _options.Count; number += Slices)
                    renewals.Add(KeepAsync(number));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(renewals);
        }
    }

    private async Task KeepAsync(int number)
    {
        try
        {
            await RenewAsync(number, _stop.Token);
        }
        catch (Exception refused) when (refused is ApiStatusException or HttpRequestException or IOException or JsonException or OperationCanceledException)
        {
            if (!_stop.IsCancellationRequested)
                Log.NotRenewed(_logger, SimulatedNode.Name(number), refused.Message);
        }
    }

    private async Task RenewAsync(int number, CancellationToken cancellationToken)
    {
        var name = SimulatedNode.Name(number);
        var spec = new LeaseSpec { HolderIdentity = name, LeaseDurationSeconds = (int)(2 * _options.LeasePeriod).TotalSeconds, RenewTime = new MicroTime(_time.GetUtcNow()) };
        var leases = _client.For<Lease>();
        try
        {
            await leases.PatchAsync(new ObjectKey(LeaseNamespace, name), Patch.Merge(new JsonObject { ["spec"] = ApiJson.ToTree(spec) }), cancellationToken);
        }
        catch (ApiStatusException missing) when (missing.IsNotFound)
        {
            await leases.CreateAsync(LeaseNamespace, new Lease { Metadata = new ObjectMeta { Name = name, Namespace = LeaseNamespace }, Spec = spec }, cancellationToken);
        }
    }

    private Task ForEachAsync<T>(IEnumerable<T> items, Func<T, Task> work, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = _options.Parallel, CancellationToken = cancellationToken }, async (item, _) => await work(item));

    /// <summary>Stops playing: the nodes stay in the API, and fall silent.</summary>
    public async ValueTask DisposeAsync()
    {
        _subscription?.Dispose();
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _queue.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} simulated nodes are registered, after {Milliseconds:0} ms", EventName = nameof(Registered))]
        public static partial void Registered(ILogger logger, int count, double milliseconds);

        [LoggerMessage(LogLevel.Warning, "Simulated pod {Key} could not be played: {Cause}", EventName = nameof(NotPlayed))]
        public static partial void NotPlayed(ILogger logger, ObjectKey key, string cause);

        [LoggerMessage(LogLevel.Warning, "Lease of simulated node {Node} could not be renewed: {Cause}", EventName = nameof(NotRenewed))]
        public static partial void NotRenewed(ILogger logger, string node, string cause);
    }
}
