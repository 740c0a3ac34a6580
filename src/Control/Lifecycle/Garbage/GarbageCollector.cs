using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <param name="Orphaning">True: let the dependents of the object go; false: decide on the object itself.</param>
internal readonly record struct GarbageKey(string Uid, bool Orphaning)
{
    public override string ToString() => Orphaning ? $"dependents of {Uid}" : Uid;
}

/// <summary>Deletes what nobody owns any more, in the three ways of a delete: background, foreground, orphan.</summary>
internal sealed partial class GarbageCollector
{
    private readonly ControllerTools _tools;
    private readonly OwnerGraph _graph;
    private readonly GarbageWatch _watch;

    private GarbageCollector(ControllerTools tools, OwnerGraph graph, GarbageWatch watch)
    {
        _tools = tools;
        _graph = graph;
        _watch = watch;
    }

    public static IControllerLoop Create(ControllerTools tools)
    {
        var graph = new OwnerGraph();
        var watch = new GarbageWatch(tools, graph);
        var collector = new GarbageCollector(tools, graph, watch);
        var loop = tools.Loop<GarbageKey>(
            collector.ReconcileAsync, () => graph.All().Where(node => node.Owners.Count > 0 || node.Terminating).Select(node => new GarbageKey(node.Uid, false)),
            workers: 16); // each deletion is two or three round trips, and a big owner has thousands of dependents
        watch.Enqueue = loop.Queue.Add;
        return new GarbageLoop(loop, watch);
    }

    private Task<TimeSpan?> ReconcileAsync(GarbageKey key, CancellationToken cancellationToken) =>
        key.Orphaning ? OrphanAsync(key.Uid, cancellationToken) : DecideAsync(key.Uid, cancellationToken);

    private async Task<TimeSpan?> DecideAsync(string uid, CancellationToken cancellationToken)
    {
        if (_graph.Find(uid) is not { } known)
            return null;
        // The graph may lag: a decision to delete rests on the server's own word.
        var client = _tools.Client.Metadata(known.Resource);
        if (await client.FindAsync(known.Key, cancellationToken) is not { } live || live.Metadata.Uid != uid)
        {
            _watch.Forget(known);
            return null;
        }

        var self = GraphNode.Of(known.Resource, live);
        var owners = new List<(OwnerReference, OwnerState)>();
        if (!self.Terminating)
        {
            foreach (var reference in self.Owners)
                owners.Add((reference, await StateOfAsync(self, reference, cancellationToken)));
        }

        switch (GarbagePlanner.Plan(self, live.Metadata.Finalizers, owners, Dependents(self)))
        {
            case GarbageStep.Delete delete:
                Log.Collected(_tools.Logger, self.Resource.Resource.Qualified, self.Key, delete.Propagation);
                await client.DeleteIfThereAsync(self.Key, cancellationToken, new Deletion
                {
                    Propagation = delete.Propagation, Uid = uid, ResourceVersion = live.Metadata.ResourceVersion,
                });
                return null;
            case GarbageStep.Disown disown:
                await DisownAsync(self, live, disown.Uids.Contains, cancellationToken);
                return null;
            case GarbageStep.Release:
                await RemoveFinalizerAsync(self, live, GarbageFinalizers.Foreground, cancellationToken);
                return null;
            case GarbageStep.Look look:
                foreach (var blocking in look.Blocking.Where(node => !node.Terminating))
                    _watch.Enqueue(new GarbageKey(blocking.Uid, false));
                return null; // when the last of them goes, its removal brings us back
            default:
                return null;
        }
    }

    private async Task<OwnerState> StateOfAsync(GraphNode self, OwnerReference reference, CancellationToken cancellationToken)
    {
        if (_graph.Find(reference.Uid) is { } known && known.IsMeantBy(reference, self.Key.Namespace))
            return known.WaitsForDependents && reference.BlockOwnerDeletion == true ? OwnerState.Waiting : OwnerState.Solid;

        // Not in the graph, or not where the reference may point to: ask the server before anything dies of it.
        if (_watch.Resources.Find(reference) is not { } resource)
            return OwnerState.Unknown;
        if (resource.Namespaced && self.Key.Namespace.Length == 0)
        {
            _tools.Events.Record(Reference(self), "Warning", "OwnerRefInvalidNamespace",
                $"ownerRef [{reference.ApiVersion}/{reference.Kind}, name: {reference.Name}, uid: {reference.Uid}] of a cluster-scoped object names a namespaced owner");
            return OwnerState.Unknown;
        }

        var key = new ObjectKey(resource.Namespaced ? self.Key.Namespace : "", reference.Name);
        var owner = await _tools.Client.Metadata(resource).FindAsync(key, cancellationToken);
        if (owner is null || owner.Metadata.Uid != reference.Uid)
            return OwnerState.Absent;
        return GraphNode.Of(resource, owner).WaitsForDependents && reference.BlockOwnerDeletion == true ? OwnerState.Waiting : OwnerState.Solid;
    }

    private async Task<TimeSpan?> OrphanAsync(string uid, CancellationToken cancellationToken)
    {
        if (_graph.Find(uid) is not { } known)
            return null;
        var live = await _tools.Client.Metadata(known.Resource).FindAsync(known.Key, cancellationToken);
        if (live is null || live.Metadata.Uid != uid || !GraphNode.Of(known.Resource, live).Orphans)
            return null;
        foreach (var dependent in Dependents(known))
        {
            var current = await _tools.Client.Metadata(dependent.Resource).FindAsync(dependent.Key, cancellationToken);
            if (current is not null && current.Metadata.Uid == dependent.Uid)
                await DisownAsync(dependent, current, owner => owner == uid, cancellationToken);
        }

        await RemoveFinalizerAsync(known, live, GarbageFinalizers.Orphan, cancellationToken);
        return null;
    }

    // A namespaced owner has no say outside of its namespace, whatever refers to it from there.
    private List<GraphNode> Dependents(GraphNode owner) =>
        [.. _graph.DependentsOf(owner.Uid).Where(dependent => dependent.Owners.Any(reference => owner.IsMeantBy(reference, dependent.Key.Namespace)))];

    // A merge patch replaces the whole list: it names the revision that the list was read at.
    private async Task DisownAsync(GraphNode node, PartialObjectMetadata live, Func<string, bool> isGone, CancellationToken cancellationToken)
    {
        var left = live.Metadata.OwnerReferences.Where(owner => !isGone(owner.Uid)).ToList();
        if (left.Count == live.Metadata.OwnerReferences.Count)
            return;
        var metadata = Identity(live);
        metadata["ownerReferences"] = left.Count == 0 ? null : new JsonArray([.. left.Select(owner => (JsonNode)Weft.Api.Json.ApiJson.ToTree(owner))]);
        await _tools.Client.Metadata(node.Resource).PatchAsync(node.Key, Patch.Merge(new JsonObject { ["metadata"] = metadata }), cancellationToken);
    }

    private async Task RemoveFinalizerAsync(GraphNode node, PartialObjectMetadata live, string finalizer, CancellationToken cancellationToken)
    {
        var left = live.Metadata.Finalizers.Where(name => name != finalizer).ToList();
        if (left.Count == live.Metadata.Finalizers.Count)
            return;
        var metadata = Identity(live);
        metadata["finalizers"] = left.Count == 0 ? null : new JsonArray([.. left.Select(name => (JsonNode)name)]);
        await _tools.Client.Metadata(node.Resource).PatchAsync(node.Key, Patch.Merge(new JsonObject { ["metadata"] = metadata }), cancellationToken);
    }

    private static JsonObject Identity(PartialObjectMetadata live) =>
        new() { ["uid"] = live.Metadata.Uid, ["resourceVersion"] = live.Metadata.ResourceVersion };

    private static Api.Core.ObjectReference Reference(GraphNode node) => new()
    {
        ApiVersion = node.Resource.Resource.ApiVersion, Kind = node.Resource.Kind, Namespace = node.Key.Namespace, Name = node.Key.Name, Uid = node.Uid,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Garbage: {Resource} {Key} has no owner left, deleted ({Propagation})", EventName = nameof(Collected))]
        public static partial void Collected(ILogger logger, string resource, ObjectKey key, PropagationPolicy propagation);
    }
}
