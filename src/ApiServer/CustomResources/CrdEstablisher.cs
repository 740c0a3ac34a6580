using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.CustomResources;

/// <summary>
/// Follows the definitions in the store: writes the conditions that <see cref="CrdConditions"/> plans, and empties a kind whose definition is being deleted.
/// It writes to the store itself, as the aggregation of cluster roles does: the definition was checked when it was written. As an admission plugin it keeps new objects
/// out of a kind that is being emptied.
/// </summary>
public sealed partial class CrdEstablisher(IStore store, IReadOnlyList<ResourceInfo> builtIns, TimeProvider time, ILogger<CrdEstablisher> logger) : IAdmission
{
    private const string Prefix = "/registry/apiextensions.k8s.io/customresourcedefinitions/";

    private readonly ReservedResources _reserved = new(builtIns);

    // Names of definitions that are being emptied; set before the first object is removed.
    private FrozenSet<string> _ending = FrozenSet<string>.Empty;

    public string Name => "CustomResourceTermination";

    public ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request is { Operation: AdmissionOperation.Create, Subresource: "" } && Volatile.Read(ref _ending).Contains(request.Resource.Qualified))
            throw Statuses.Forbidden(request.Resource, request.Name, "create not allowed while custom resource definition is terminating");
        return ValueTask.CompletedTask;
    }

    public Task RunAsync(CancellationToken cancellationToken) =>
        StoreFollower.RunAsync(FollowAsync, reason => Log.Relisting(logger, reason), time, cancellationToken);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var cleanups = new Dictionary<string, Task>();
        try
        {
            var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
            var definitions = page.Entries.ToDictionary(entry => entry.Key, Definition.Of);
            await using var watch = store.Watch(Prefix, page.Revision);
            await PlanAsync(definitions, cleanups, ending.Token);
            await foreach (var batch in watch.ReadAsync(cancellationToken))
            {
                foreach (var change in batch.Changes)
                {
                    if (change.Current is { } entry)
                        definitions[change.Key] = Definition.Of(entry);
                    else
                        definitions.Remove(change.Key);
                }
                if (batch.Changes.Count > 0)
                    await PlanAsync(definitions, cleanups, ending.Token);
            }
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(cleanups.Values);
        }
    }

    // An own write comes back by the watch and starts the next round; a lost race does too, so a conflict needs no retry here.
    private async Task PlanAsync(Dictionary<string, Definition> definitions, Dictionary<string, Task> cleanups, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _ending, definitions.Values.Where(definition => CrdConditions.AwaitsCleanup(definition.Tree) && HasObjects(definition.Tree)).Select(definition => Metadata.Name(definition.Tree)).ToFrozenSet());
        // Oldest first: of two that ask for one name, the first gets it. Each decision counts for the next one.
        foreach (var key in definitions.OrderBy(pair => pair.Value.Entry.CreateRevision).Select(pair => pair.Key).ToList())
        {
            var definition = definitions[key];
            var others = definitions.Where(pair => pair.Key != key).Select(pair => pair.Value.Tree);
            if (CrdConditions.Plan(definition.Tree, others, BuiltInNames, time.GetUtcNow()) is { } next)
            {
                await WriteAsync(definition.Entry, next, cancellationToken);
                definitions[key] = definition = definition with { Tree = next };
            }
            if (CrdConditions.AwaitsCleanup(definition.Tree) && (!cleanups.TryGetValue(key, out var running) || running.IsCompleted))
                cleanups[key] = CleanUpAsync(key, definition.Tree, cancellationToken);
        }
    }

    // What lies under the name of a definition that was never served, or that a built-in kind has, belongs to somebody else.
    private bool HasObjects(JsonObject definition) =>
        CrdConditions.IsEstablished(definition) && !_reserved.Has(definition.At("spec", "group").AsText() ?? "", definition.At("spec", "names", "plural").AsText() ?? "");

    private IEnumerable<string> BuiltInNames(string group) => builtIns.Where(resource => resource.Resource.Group == group)
        .SelectMany(resource => (IEnumerable<string>)[resource.Resource.Resource, resource.Singular, .. resource.ShortNames]);

    /// <summary>Deletes every object of the kind if it was served, waits for those that finalizers hold, then lets the definition go.</summary>
    private async Task CleanUpAsync(string key, JsonObject definition, CancellationToken cancellationToken)
    {
        try
        {
            await StoreFollower.WithRoomAsync(token => EmptyAndReleaseAsync(key, definition, token), reason => Log.CleanupFailed(logger, Metadata.Name(definition), reason), time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next start finds the definition again, still waiting.
        }
        catch (Exception e) when (e is WatchExpiredException or CompactedException)
        {
            // The definition keeps its finalizer; its next change, or the next start, tries again.
            Log.CleanupFailed(logger, Metadata.Name(definition), e.Message);
        }
    }

    private async Task EmptyAndReleaseAsync(string key, JsonObject definition, CancellationToken cancellationToken)
    {
        if (HasObjects(definition))
            await new CrdInstances(store, definition, time).EmptyAsync(cancellationToken);
        while (store.Get(key) is { } entry && Definition.Of(entry).Tree is var tree && CrdConditions.AwaitsCleanup(tree))
        {
            var released = CrdConditions.Release(tree);
            var result = Finalizers.Of(released).Count == 0
                ? await store.CommitAsync(new[] { Op.Delete(key, Expect.At(entry.ModRevision)) }, cancellationToken)
                : await WriteAsync(entry, released, cancellationToken);
            if (result.Succeeded)
                return;
        }
    }

    private ValueTask<CommitResult> WriteAsync(Entry entry, JsonObject next, CancellationToken cancellationToken) =>
        store.CommitAsync(new[] { Op.Put(entry.Key, Envelope.Write(next, "v1", Envelope.Read(entry.Value).SchemaEpoch), Expect.At(entry.ModRevision)) }, cancellationToken);

    private sealed record Definition(Entry Entry, JsonObject Tree)
    {
        public static Definition Of(Entry entry) => new(entry, Envelope.Read(entry.Value).Parse(0));
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Reading custom resource definitions again: {Reason}")]
        internal static partial void Relisting(ILogger logger, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The objects of {Definition} could not be removed yet: {Reason}")]
        internal static partial void CleanupFailed(ILogger logger, string definition, string reason);
    }
}
