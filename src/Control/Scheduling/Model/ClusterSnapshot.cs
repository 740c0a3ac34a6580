using System.Collections.Immutable;

namespace Weft.Control.Scheduling.Model;

/// <summary>
/// All nodes with their pods at one moment. Immutable and shared in structure: nodes lie in chunks, so that replacing one of 5,000 copies 64 references
/// and the list of chunks, not 5,000. Counters tell plugins cheaply that there is nothing for them to do.
/// </summary>
internal sealed class ClusterSnapshot
{
    private const int ChunkBits = 6;
    private const int ChunkSize = 1 << ChunkBits;
    private const int ChunkMask = ChunkSize - 1;

    private readonly NodeInfo[][] _chunks;
    private readonly ImmutableDictionary<string, int> _positions;

    private ClusterSnapshot(NodeInfo[][] chunks, ImmutableDictionary<string, int> positions, ImmutableDictionary<string, IReadOnlyDictionary<string, string>> namespaces)
    {
        _chunks = chunks;
        _positions = positions;
        Namespaces = namespaces;
    }

    public static ClusterSnapshot Empty { get; } = new(
        [], ImmutableDictionary<string, int>.Empty, ImmutableDictionary<string, IReadOnlyDictionary<string, string>>.Empty);

    public int Count => _positions.Count;

    /// <summary>Labels of each namespace.</summary>
    public ImmutableDictionary<string, IReadOnlyDictionary<string, string>> Namespaces { get; }

    public VolumeFacts Volumes { get; private init; } = VolumeFacts.None;

    /// <summary>Nodes that keep some pods away: with hard taints, or unschedulable.</summary>
    public int GuardedNodes { get; private init; }
    public int SoftTaintedNodes { get; private init; }
    public int NodesWithPodAffinity { get; private init; }

    public NodeInfo this[int position] => _chunks[position >> ChunkBits][position & ChunkMask];

    /// <summary>The nodes by chunk; the last one may end in nulls. Never changed, so a chunk that is the same array holds the same nodes with the same pods.</summary>
    public ReadOnlySpan<NodeInfo[]> Chunks => _chunks;

    public NodeInfo? Find(string name) => _positions.TryGetValue(name, out var position) ? this[position] : null;

    public static ClusterSnapshot Of(IEnumerable<NodeInfo> nodes)
    {
        var snapshot = Empty;
        foreach (var node in nodes)
            snapshot = snapshot.With(node);
        return snapshot;
    }

    /// <summary>With a node added, or in place of the one of its name.</summary>
    public ClusterSnapshot With(NodeInfo node)
    {
        if (_positions.TryGetValue(node.Name, out var position))
            return Counted(Replace(position, node), _positions, this[position], node);

        position = Count;
        var chunks = _chunks;
        if ((position & ChunkMask) == 0)
            chunks = [.. chunks, new NodeInfo[ChunkSize]];
        return Counted(Replace(chunks, position, node), _positions.Add(node.Name, position), null, node);
    }

    public ClusterSnapshot Without(string name)
    {
        if (!_positions.TryGetValue(name, out var position))
            return this;
        var gone = this[position];
        var last = this[Count - 1];
        var positions = _positions.Remove(name);
        var chunks = _chunks;
        if (last.Name != name)
        {
            // The last one moves into the gap.
            chunks = Replace(position, last);
            positions = positions.SetItem(last.Name, position);
        }

        chunks = Replace(chunks, Count - 1, null!);
        if (((Count - 1) & ChunkMask) == 0)
            chunks = chunks[..^1];
        return Counted(chunks, positions, gone, null);
    }

    public ClusterSnapshot WithNamespace(string name, IReadOnlyDictionary<string, string>? labels) =>
        new(_chunks, _positions, labels is null ? Namespaces.Remove(name) : Namespaces.SetItem(name, labels))
        {
            GuardedNodes = GuardedNodes, SoftTaintedNodes = SoftTaintedNodes, NodesWithPodAffinity = NodesWithPodAffinity, Volumes = Volumes,
        };

    public ClusterSnapshot WithVolumes(VolumeFacts volumes) => new(_chunks, _positions, Namespaces)
    {
        GuardedNodes = GuardedNodes, SoftTaintedNodes = SoftTaintedNodes, NodesWithPodAffinity = NodesWithPodAffinity, Volumes = volumes,
    };

    private ClusterSnapshot Counted(NodeInfo[][] chunks, ImmutableDictionary<string, int> positions, NodeInfo? old, NodeInfo? @new) =>
        new(chunks, positions, Namespaces)
        {
            Volumes = Volumes,
            GuardedNodes = GuardedNodes + One(@new, IsGuarded) - One(old, IsGuarded),
            SoftTaintedNodes = SoftTaintedNodes + One(@new, IsSoftTainted) - One(old, IsSoftTainted),
            NodesWithPodAffinity = NodesWithPodAffinity + One(@new, HasPodAffinity) - One(old, HasPodAffinity),
        };

    private NodeInfo[][] Replace(int position, NodeInfo node) => Replace(_chunks, position, node);

    private static NodeInfo[][] Replace(NodeInfo[][] chunks, int position, NodeInfo node)
    {
        var next = (NodeInfo[][])chunks.Clone();
        var chunk = (NodeInfo[])next[position >> ChunkBits].Clone();
        chunk[position & ChunkMask] = node;
        next[position >> ChunkBits] = chunk;
        return next;
    }

    private static int One(NodeInfo? node, Func<NodeInfo, bool> what) => node is not null && what(node) ? 1 : 0;

    private static bool IsGuarded(NodeInfo node) => node.Unschedulable || node.HardTaints.Length > 0;

    private static bool IsSoftTainted(NodeInfo node) => node.SoftTaints.Length > 0;

    private static bool HasPodAffinity(NodeInfo node) => node.PodsWithAffinity > 0;
}
