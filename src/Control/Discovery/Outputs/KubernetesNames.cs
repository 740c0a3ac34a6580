using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Client;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Outputs;

/// <summary>Brings Services into the table: `orders.shop` of every namespace, and `orders` of the namespace `default`.</summary>
public sealed partial class KubernetesNames : IAsyncDisposable
{
    private const string ServiceName = "kubernetes.io/service-name";

    // Changes of many endpoints come in bursts, of which each name is read once.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);

    private readonly ServiceRegistry _registry;
    private readonly Informer<Service> _services;
    private readonly Informer<EndpointSlice> _slices;
    private readonly CacheIndex<EndpointSlice> _byService;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConditionalWeakTable<EndpointSlice, Entry[]> _read = [];
    private readonly Dictionary<ObjectKey, Seen> _seen = [];
    private readonly Lock _gate = new();
    private readonly HashSet<ObjectKey> _dirty = [];
    private readonly List<IDisposable> _subscriptions = [];
    private readonly CancellationTokenSource _stopping = new();
    private TaskCompletionSource _wake = Signal();
    private Task _running = Task.CompletedTask;

    private KubernetesNames(ServiceRegistry registry, Informers informers, TimeProvider time, ILogger logger)
    {
        (_registry, _services, _slices, _time, _logger) = (registry, informers.Of<Service>(), informers.Of<EndpointSlice>(), time, logger);
        _byService = _slices.Cache.AddIndex(slice => slice.Metadata.Labels.TryGetValue(ServiceName, out var name) ? [$"{slice.Metadata.Namespace}/{name}"] : []);
    }

    private sealed record Seen(Service Service, IReadOnlyList<EndpointSlice> Slices);

    /// <summary>Returns when all that is there is in the table.</summary>
    public static async Task<KubernetesNames> StartAsync(ServiceRegistry registry, Informers informers, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var names = new KubernetesNames(registry, informers, time, logger);
        await Task.WhenAll(names._services.Synced, names._slices.Synced).WaitAsync(cancellationToken);
        names._subscriptions.Add(names._services.Cache.Subscribe(change => names.Touch(change.Current.Metadata.Namespace, change.Current.Metadata.Name)));
        names._subscriptions.Add(names._slices.Cache.Subscribe(change =>
        {
            if (change.Current.Metadata.Labels.TryGetValue(ServiceName, out var service))
                names.Touch(change.Current.Metadata.Namespace, service);
        }));
        foreach (var service in names._services.Cache.All())
            names.Touch(service.Metadata.Namespace, service.Metadata.Name);
        await names.ReadAsync(cancellationToken);
        names._running = names.RunAsync();
        return names;
    }

    /// <summary>Names that a Service has in the table.</summary>
    internal static IEnumerable<string> NamesOf(ObjectKey service) => service.Namespace == "default" ? [service.Name, $"{service.Name}.default"] : [$"{service.Name}.{service.Namespace}"];

    /// <summary>Entries of one slice: its first TCP port, the others in the metadata.</summary>
    internal static IEnumerable<Entry> Read(EndpointSlice slice, string service)
    {
        var ports = slice.Ports.Where(port => port.Port is not null && port.Protocol is null or "TCP").ToList();
        var meta = ports.Skip(1).Where(port => !string.IsNullOrEmpty(port.Name)).ToImmutableSortedDictionary(port => $"port-{port.Name}", port => $"{port.Port}", StringComparer.Ordinal);
        foreach (var endpoint in slice.Endpoints.Where(endpoint => endpoint.Addresses.Count > 0))
        {
            var address = endpoint.Addresses[0];
            var id = endpoint.TargetRef?.Name is { } pod ? pod : address;
            var node = endpoint.NodeName ?? "";
            // Not said means ready (the API's own rule).
            var isReady = endpoint.Conditions?.Ready != false;
            yield return new(
                new() { Name = node, Address = address },
                new()
                {
                    Node = node, Id = $"{slice.Metadata.Namespace}/{id}", Name = service, Address = address, Port = ports.Count > 0 ? ports[0].Port ?? 0 : 0, Tags = ["kubernetes"], Meta = meta,
                    Source = NameSource.Kubernetes, Since = slice.Metadata.CreationTimestamp ?? default, CreateIndex = 1, ModifyIndex = 1,
                },
                [new()
                {
                    Node = node, Id = $"kubernetes:{slice.Metadata.Namespace}/{id}", Name = "Ready in Kubernetes", ServiceId = $"{slice.Metadata.Namespace}/{id}", Status = isReady ? CheckStatus.Passing : CheckStatus.Critical,
                    Output = isReady ? "ready" : "not ready", CreateIndex = 1, ModifyIndex = 1,
                }]);
        }
    }

    private void Touch(string? @namespace, string? name)
    {
        lock (_gate)
        {
            if (_dirty.Add(new(@namespace ?? "", name ?? "")))
                _wake.TrySetResult();
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                await _wake.Task.WaitAsync(_stopping.Token);
                await Task.Delay(Gather, _time, _stopping.Token);
                await ReadAsync(_stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception failed) when (failed is RegistryException or RegistryStoreException)
            {
                Log.NotTaken(_logger, failed.Message);
            }
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        List<ObjectKey> dirty;
        lock (_gate)
        {
            dirty = [.. _dirty];
            _dirty.Clear();
            _wake = Signal();
        }

        var changes = dirty.Select(key => (Key: key, Seen: Look(key))).Where(change => HasChanged(change.Key, change.Seen)).ToList();
        if (changes.Count == 0)
            return;
        try
        {
            await _registry.ChangeAsync(
                draft =>
                {
                    foreach (var (key, seen) in changes)
                    {
                        var projection = seen is null ? null : new Projection($"Service {key.Namespace}/{key.Name}", Entries(key, seen));
                        foreach (var name in NamesOf(key))
                            draft.Project(NameSource.Kubernetes, name, projection);
                    }

                    return 0;
                }, cancellationToken);
        }
        catch
        {
            foreach (var (key, _) in changes)
                Touch(key.Namespace, key.Name);
            throw;
        }

        foreach (var (key, seen) in changes)
        {
            if (seen is null)
                _seen.Remove(key);
            else
                _seen[key] = seen;
        }
    }

    private Seen? Look(ObjectKey key) => _services.Cache.Find(key) is { } service
        ? new(service, [.. _byService.Find($"{key.Namespace}/{key.Name}").OrderBy(slice => slice.Metadata.Name, StringComparer.Ordinal)])
        : null;

    private bool HasChanged(ObjectKey key, Seen? now) => _seen.TryGetValue(key, out var before)
        ? now is null || !ReferenceEquals(before.Service, now.Service) || !before.Slices.SequenceEqual(now.Slices, ReferenceEqualityComparer.Instance)
        : now is not null;

    private ImmutableArray<Entry> Entries(ObjectKey key, Seen seen)
    {
        if (seen.Service.Spec is { Type: "ExternalName", ExternalName: { } other })
        {
            var since = seen.Service.Metadata.CreationTimestamp ?? default;
            return [new(new() { Name = "", Address = other }, new() { Id = $"{key.Namespace}/{key.Name}", Name = key.Name, Address = other, Port = seen.Service.Spec.Ports.Select(port => port.Port).FirstOrDefault(), Tags = ["kubernetes"], Source = NameSource.Kubernetes, Since = since, CreateIndex = 1, ModifyIndex = 1 }, [])];
        }

        return [.. seen.Slices.Where(slice => slice.AddressType != "FQDN").SelectMany(slice => _read.GetValue(slice, slice => [.. Read(slice, key.Name)]))];
    }

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "the table of names does not follow the cluster's services: {Reason}")]
        public static partial void NotTaken(ILogger logger, string reason);
    }
}
