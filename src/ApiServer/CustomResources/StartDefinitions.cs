using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.CustomResources;

/// <summary>
/// Kinds that come with the program and are served as custom ones: their definitions are made where there are none, established with the same write, and renewed where they are as
/// another edition of the program made them.
/// </summary>
internal sealed partial class StartDefinitions(IStore store, IResourceCatalog catalog, ObjectWriter writer, ObjectNames names, TimeProvider time, ILogger logger)
{
    // Only a definition that a server left half made, or one whose names are taken, is not served by then.
    private static readonly TimeSpan EstablishWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EstablishPause = TimeSpan.FromMilliseconds(2);

    /// <summary>Those that are in the store then. What the store has no room for stays as it is, until a later start.</summary>
    public async Task<IReadOnlyList<PreinstalledDefinition>> InstallAsync(IReadOnlyList<PreinstalledDefinition> definitions, CancellationToken cancellationToken)
    {
        if (definitions.Count == 0 || catalog.Current.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions") is not { } info)
            return [];
        var made = new Dictionary<PreinstalledDefinition, JsonObject>();
        while (true)
        {
            var stored = (await store.ListAsync(info.StoragePrefix, cancellationToken: cancellationToken)).Entries.ToDictionary(entry => entry.Key);
            var missing = definitions.Where(definition => !stored.ContainsKey(Keys.Of(info, "", definition.Name))).ToList();
            foreach (var (definition, tree) in await MakeAsync(info, [.. missing.Where(definition => !made.ContainsKey(definition))]))
                made[definition] = tree;
            try
            {
                // One commit: each more costs a write to the disk, and a round of whatever follows definitions. Where it fails, another server of the cluster was first with one.
                if (missing.Count > 0 && !(await store.CommitAsync(Creations(info, missing, made, stored.Values), cancellationToken)).Succeeded)
                    continue;
                missing = [];
            }
            catch (StoreReadOnlyException full)
            {
                // What is there can be served without them.
                foreach (var definition in missing)
                    Log.NotMade(logger, definition.Name, full.Message);
            }

            await RenewAsync(info, [.. definitions.Where(definition => stored.TryGetValue(Keys.Of(info, "", definition.Name), out var entry) && IsOld(definition, MetadataOf(entry)))], cancellationToken);
            return [.. definitions.Except(missing)];
        }
    }

    /// <summary>A first request for the kinds must find them, and as they are from this start on. One whose names a user's definition has is not served at all, which that definition's conditions tell.</summary>
    public async ValueTask ServedAsync(IReadOnlyList<PreinstalledDefinition> definitions, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        // Reads what was written just now, in place of waiting for it.
        await catalog.LoadAsync(cancellationToken);
        foreach (var definition in definitions)
        {
            var (kind, plural) = (definition.Kind.Kind.Kind, definition.Kind.Kind.Plural);
            while (!catalog.Current.All.Any(resource => resource.Resource.Group == kind.Group && resource.Resource.Resource == plural))
            {
                if (time.GetElapsedTime(started) > EstablishWait)
                {
                    Log.NotServed(logger, definition.Name);
                    break;
                }
                await Task.Delay(EstablishPause, time, cancellationToken);
            }
        }
    }

    // On all processors: reading types is most of what a new cluster's start has to do.
    private static async Task<IReadOnlyList<(PreinstalledDefinition Definition, JsonObject Tree)>> MakeAsync(ResourceInfo info, IReadOnlyList<PreinstalledDefinition> definitions) =>
        await Task.WhenAll(definitions.Select(definition => Task.Run(() =>
        {
            var tree = definition.Manifest();
            info.Strategy.Default(tree);
            return (definition, tree);
        })));

    // They come as they would be after the ordinary way of a create and the rounds of the establisher, of which nothing can refuse the program's own.
    private Op[] Creations(ResourceInfo info, IReadOnlyList<PreinstalledDefinition> missing, Dictionary<PreinstalledDefinition, JsonObject> made, IEnumerable<Entry> stored)
    {
        var now = time.GetUtcNow();
        var all = stored.Select(entry => Envelope.Read(entry.Value).Parse(0)).ToList();
        var ops = new List<Op>();
        foreach (var definition in missing)
        {
            var tree = made[definition];
            PreinstalledPlan.Born(tree, definition.Edition, names.Uid(), now);
            info.Strategy.PrepareForCreate(tree, Context(info, definition.Name).ForStrategy);
            tree = CrdConditions.Plan(tree, all, BuiltInNames, now) ?? tree;
            all.Add(tree);
            ops.Add(Op.Put(Keys.Of(info, "", definition.Name), ObjectCodec.ToBytes(info, tree), Expect.Absent));
        }
        return [.. ops];
    }

    private static bool IsOld(PreinstalledDefinition definition, JsonObject metadata) =>
        !PreinstalledPlan.IsOf(definition.Edition, metadata) && PreinstalledPlan.IsAsMade(metadata);

    // At once: the store commits them together.
    private async Task RenewAsync(ResourceInfo info, IReadOnlyList<PreinstalledDefinition> old, CancellationToken cancellationToken) =>
        await Task.WhenAll((await MakeAsync(info, old)).Select(pair => RenewAsync(info, pair.Definition, pair.Tree, cancellationToken)));

    private async Task RenewAsync(ResourceInfo info, PreinstalledDefinition definition, JsonObject manifest, CancellationToken cancellationToken)
    {
        var changes = false;
        try
        {
            // As an apply, so that no field of the spec gets an owner.
            await writer.UpdateAsync(Context(info, definition.Name) with { IsApply = true }, Demands.None, current =>
            {
                var next = PreinstalledPlan.Renewed(current, manifest, definition.Edition);
                changes = PreinstalledPlan.Differs(current, next);
                return new ValueTask<JsonObject>(next);
            }, cancellationToken);
            if (changes)
                Log.Renewed(logger, definition.Name);
        }
        catch (Exception e) when (e is ApiException or StoreReadOnlyException)
        {
            // The kind goes on with the definition that it has.
            Log.NotRenewed(logger, definition.Name, e.Message);
        }
    }

    private IEnumerable<string> BuiltInNames(string group) => catalog.Current.All.Where(resource => !resource.IsCustom && resource.Resource.Group == group)
        .SelectMany(resource => (IEnumerable<string>)[resource.Resource.Resource, resource.Singular, .. resource.ShortNames]);

    // Metadata stands before spec: of a definition that is up to date, the rest is not read.
    private static JsonObject MetadataOf(Entry entry)
    {
        var reader = new Utf8JsonReader(Envelope.Read(entry.Value).Json.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isMetadata = reader.ValueTextEquals("metadata"u8);
            reader.Read();
            if (isMetadata)
                return JsonNode.Parse(ref reader) as JsonObject ?? [];
            reader.Skip();
        }
        return [];
    }

    private WriteContext Context(ResourceInfo info, string name) => new(info, StartObjects.Self, "", name, time.GetUtcNow())
    {
        FieldManager = StartObjects.Manager,
        IsOwn = true,
        Warn = text => Log.Warned(logger, name, text),
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The kind of {Definition} is not served: see its conditions", EventName = nameof(NotServed))]
        public static partial void NotServed(ILogger logger, string definition);

        [LoggerMessage(LogLevel.Warning, "There is no definition {Definition} until a later start: {Reason}", EventName = nameof(NotMade))]
        public static partial void NotMade(ILogger logger, string definition, string reason);

        [LoggerMessage(LogLevel.Information, "Definition {Definition} was as another edition of this program made it, and is renewed", EventName = nameof(Renewed))]
        public static partial void Renewed(ILogger logger, string definition);

        [LoggerMessage(LogLevel.Warning, "Definition {Definition} stays as another edition of this program made it: {Reason}", EventName = nameof(NotRenewed))]
        public static partial void NotRenewed(ILogger logger, string definition, string reason);

        [LoggerMessage(LogLevel.Warning, "Renewing definition {Definition}: {Warning}", EventName = nameof(Warned))]
        public static partial void Warned(ILogger logger, string definition, string warning);
    }
}
