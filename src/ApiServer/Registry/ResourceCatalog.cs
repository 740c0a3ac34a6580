using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;
using Weft.ApiServer.Webhooks;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>
/// The built-in resources, and those of the CustomResourceDefinitions in the store that are established. A changed definition gives a new snapshot; the resources
/// of the others stay the same objects.
/// </summary>
public sealed partial class ResourceCatalog(IStore store, IReadOnlyList<ResourceInfo> builtIns, Schema metadata, Func<JsonObject, IVersionConverter?> converters, ILogger<ResourceCatalog> logger) : IResourceCatalog
{
    private const string Prefix = "/registry/apiextensions.k8s.io/customresourcedefinitions/";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Revision, IReadOnlyList<ResourceInfo> Resources)> _custom = [];
    private readonly Dictionary<GroupVersionResource, CancellationTokenSource> _watched = [];
    private ResourceSnapshot _current = new(1, builtIns);

    // What the custom ones are as of: lists and the watch come in any order, and none may take back what another has shown.
    private long _revision;
    private long _verified;

    public ResourceSnapshot Current => Volatile.Read(ref _current);

    /// <summary>All kinds that the program knows, and the custom ones of the store.</summary>
    public static ResourceCatalog Create(IStore store, TimeProvider time, ILoggerFactory loggers) => Create(store, new SchemaReader(), time, loggers);

    /// <param name="schemas">Shared with who else needs the schemas of types (OpenAPI), so that they are made once.</param>
    /// <param name="pods">As <see cref="ApiServerOptions.PodConnector"/>.</param>
    public static ResourceCatalog Create(IStore store, SchemaReader schemas, TimeProvider time, ILoggerFactory loggers, PodConnector? pods = null)
    {
        var builtIns = BuiltInResources.All(schemas, kind => Columns.For(kind.Kind));
        var caller = new WebhookCaller(new StoredObjects(store), pods, time);
        return new ResourceCatalog(store, builtIns, schemas.FromType(typeof(ObjectMeta)), Converter, loggers.CreateLogger<ResourceCatalog>());

        IVersionConverter? Converter(JsonObject definition) =>
            definition.At("spec", "conversion", "strategy").AsText() == "Webhook" && definition.At("spec", "conversion", "webhook", "clientConfig") is JsonObject client
                ? new ConversionWebhook(caller, Metadata.Name(definition), client) : null;
    }

    public async ValueTask LoadAsync(CancellationToken cancellationToken) => Replace(await store.ListAsync(Prefix, cancellationToken: cancellationToken));

    /// <summary>Follows the store until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        StoreFollower.RunAsync(FollowAsync, reason => Log.Relisting(logger, reason), cancellationToken);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        Replace(page);
        await using var watch = store.Watch(Prefix, page.Revision);
        await foreach (var batch in watch.ReadAsync(cancellationToken))
            Apply(batch);
    }

    public async ValueTask<ResourceInfo?> FindAsync(string group, string version, string resource, CancellationToken cancellationToken)
    {
        if (Current.Find(group, version, resource) is { } found)
            return found;
        var now = store.Revision;
        if (Volatile.Read(ref _verified) >= now)
            return null;
        await LoadAsync(cancellationToken);
        Volatile.Write(ref _verified, now);
        return Current.Find(group, version, resource);
    }

    public CancellationToken Ended(ResourceInfo resource)
    {
        if (!resource.IsCustom)
            return CancellationToken.None;
        lock (_gate)
        {
            if (Current.Find(resource.Resource.Group, resource.Resource.Version, resource.Resource.Resource) is null)
                return new CancellationToken(canceled: true);
            if (!_watched.TryGetValue(resource.Resource, out var source))
                _watched[resource.Resource] = source = new CancellationTokenSource();
            return source.Token;
        }
    }

    private void Replace(Page page)
    {
        lock (_gate)
        {
            if (page.Revision < _revision)
                return;
            _revision = page.Revision;
            var changed = false;
            var keys = page.Entries.Select(entry => entry.Key).ToHashSet();
            foreach (var gone in _custom.Keys.Where(key => !keys.Contains(key)).ToList())
                changed |= _custom.Remove(gone);
            foreach (var entry in page.Entries)
                changed |= Set(entry);
            if (changed)
                Publish();
        }
    }

    private void Apply(ChangeBatch batch)
    {
        lock (_gate)
        {
            if (batch.Revision <= _revision)
                return;
            _revision = batch.Revision;
            var changed = false;
            foreach (var change in batch.Changes)
                changed |= change.Current is { } entry ? Set(entry) : _custom.Remove(change.Key);
            if (changed)
                Publish();
        }
    }

    private bool Set(Entry entry)
    {
        if (_custom.TryGetValue(entry.Key, out var known) && known.Revision >= entry.ModRevision)
            return false;
        _custom[entry.Key] = (entry.ModRevision, CustomResources.Read(Envelope.Read(entry.Value).Parse(entry.ModRevision), metadata, converters));
        return true;
    }

    private void Publish()
    {
        var taken = builtIns.Select(resource => (resource.Resource.Group, resource.Resource.Resource)).ToHashSet();
        var custom = _custom.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value.Resources)
            .Where(resource => !taken.Contains((resource.Resource.Group, resource.Resource.Resource)));
        var next = new ResourceSnapshot(Current.Epoch + 1, [.. builtIns, .. custom]);
        Volatile.Write(ref _current, next);
        foreach (var gone in _watched.Keys.Where(key => next.Find(key.Group, key.Version, key.Resource) is null).ToList())
        {
            _watched.Remove(gone, out var source);
            _ = source!.CancelAsync(); // what it ends runs elsewhere, not below this lock
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Reading custom resource definitions again: {Reason}", EventName = nameof(Relisting))]
        public static partial void Relisting(ILogger logger, string reason);
    }
}
