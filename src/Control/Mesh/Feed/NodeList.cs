using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Feed;

/// <summary>The nodes by their places: the same array as long as nothing of that has changed.</summary>
internal sealed class NodeList : IDisposable
{
    private readonly ObjectCache<Node> _nodes;
    private readonly IDisposable _subscription;
    private ImmutableArray<NodePlace> _current = [];
    private int _isDirty = 1;

    /// <param name="changed">Called at each change that counts, on whichever thread; must be quick.</param>
    public NodeList(ObjectCache<Node> nodes, Action changed)
    {
        _nodes = nodes;
        _subscription = nodes.Subscribe(change =>
        {
            if (change.Old is { } old && change.New is { } next && NodePlace.Of(old) == NodePlace.Of(next))
                return;
            Volatile.Write(ref _isDirty, 1);
            changed();
        });
    }

    /// <summary>One caller at a time.</summary>
    public ImmutableArray<NodePlace> Read()
    {
        if (Interlocked.Exchange(ref _isDirty, 0) == 0)
            return _current;
        ImmutableArray<NodePlace> next = [.. _nodes.All().Select(NodePlace.Of).OrderBy(node => node.Name, StringComparer.Ordinal)];
        return _current = next.SequenceEqual(_current) ? _current : next;
    }

    public void Dispose() => _subscription.Dispose();
}
