using Weft.Api;
using Weft.Client;

namespace Weft.Control.Lifecycle;

/// <summary>One object as the garbage collector sees it.</summary>
internal sealed record GraphNode(string Uid, ApiResource Resource, ObjectKey Key, IReadOnlyList<OwnerReference> Owners)
{
    public bool Terminating { get; init; }

    /// <summary>Deleted in the foreground: waits for its blocking dependents.</summary>
    public bool WaitsForDependents { get; init; }

    /// <summary>Deleted with orphaning: its dependents are to lose the reference.</summary>
    public bool Orphans { get; init; }

    public static GraphNode Of(ApiResource resource, IObject value)
    {
        var terminating = value.Metadata.DeletionTimestamp is not null;
        return new GraphNode(
            value.Metadata.Uid ?? "", resource, new ObjectKey(value.Metadata.Namespace ?? "", value.Metadata.Name ?? ""), value.Metadata.OwnerReferences)
        {
            Terminating = terminating,
            WaitsForDependents = terminating && value.Metadata.Finalizers.Contains(GarbageFinalizers.Foreground),
            Orphans = terminating && value.Metadata.Finalizers.Contains(GarbageFinalizers.Orphan),
        };
    }

    /// <summary>Whether a reference can mean this object: the uid, and the place from which the reference may point here.</summary>
    public bool IsMeantBy(OwnerReference reference, string dependentNamespace) =>
        reference.Uid == Uid && reference.Name == Key.Name && reference.Kind == Resource.Kind
        && (GroupVersionKind.ParseApiVersion(reference.ApiVersion)?.Group ?? "") == Resource.Resource.Group
        && (!Resource.Namespaced || Key.Namespace == dependentNamespace);
}

internal static class GarbageFinalizers
{
    public const string Foreground = "foregroundDeletion";
    public const string Orphan = "orphan";
}

/// <summary>Who owns whom, as the watches tell. Thread-safe; it only remembers, and decides nothing.</summary>
internal sealed class OwnerGraph
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, GraphNode> _nodes = [];
    private readonly Dictionary<string, HashSet<string>> _dependents = [];

    public int Count
    {
        get
        {
            lock (_gate)
                return _nodes.Count;
        }
    }

    public GraphNode? Find(string uid)
    {
        lock (_gate)
            return _nodes.GetValueOrDefault(uid);
    }

    /// <summary>All that refer to the uid, wherever they are.</summary>
    public IReadOnlyList<GraphNode> DependentsOf(string uid)
    {
        lock (_gate)
            return _dependents.TryGetValue(uid, out var uids) ? [.. uids.Select(dependent => _nodes[dependent])] : [];
    }

    public IReadOnlyList<GraphNode> All()
    {
        lock (_gate)
            return [.. _nodes.Values];
    }

    public void Set(GraphNode node)
    {
        lock (_gate)
        {
            Unlink(node.Uid);
            _nodes[node.Uid] = node;
            foreach (var owner in node.Owners)
            {
                if (!_dependents.TryGetValue(owner.Uid, out var dependents))
                    _dependents[owner.Uid] = dependents = [];
                dependents.Add(node.Uid);
            }
        }
    }

    public void Remove(string uid)
    {
        lock (_gate)
            Unlink(uid);
    }

    private void Unlink(string uid)
    {
        if (!_nodes.Remove(uid, out var old))
            return;
        foreach (var owner in old.Owners)
        {
            if (_dependents.TryGetValue(owner.Uid, out var dependents) && dependents.Remove(uid) && dependents.Count == 0)
                _dependents.Remove(owner.Uid);
        }
    }
}
