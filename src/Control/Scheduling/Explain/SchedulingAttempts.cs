using Weft.Api;

namespace Weft.Control.Scheduling.Explain;

/// <summary>What one decision looked at, and what came of it.</summary>
/// <param name="Node">The chosen node; null when none would do.</param>
/// <param name="Message">As in the pod's condition; empty for a placed pod.</param>
/// <param name="Pod">A refusal that held for every node.</param>
/// <param name="Nodes">Refusals per node; of many nodes only the first.</param>
/// <param name="Scores">Of the chosen node.</param>
public sealed record SchedulingAttempt(
    ObjectKey Key, string Uid, DateTimeOffset Time, int Attempt, string? Node, string Message,
    PluginVerdict? Pod, IReadOnlyList<NodeVerdict> Nodes, IReadOnlyList<PluginScore> Scores, int Feasible, int Evaluated);

/// <summary>The last decision for each of the last pods. Bounded: the oldest goes when a new one comes.</summary>
public sealed class SchedulingAttempts
{
    // About 10 MB at worst; more nodes than this nobody reads, and the counts stand in the message.
    private const int MaxPods = 1000;
    public const int MaxNodes = 100;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<SchedulingAttempt>> _byUid = [];
    private readonly LinkedList<SchedulingAttempt> _inOrder = new();

    public SchedulingAttempt? Find(string uid)
    {
        lock (_gate)
            return _byUid.TryGetValue(uid, out var found) ? found.Value : null;
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<SchedulingAttempt> All()
    {
        lock (_gate)
            return [.. _inOrder.Reverse()];
    }

    internal void Add(SchedulingAttempt attempt)
    {
        lock (_gate)
        {
            if (_byUid.Remove(attempt.Uid, out var earlier))
                _inOrder.Remove(earlier);
            _byUid[attempt.Uid] = _inOrder.AddLast(attempt);
            if (_inOrder.Count <= MaxPods)
                return;
            _byUid.Remove(_inOrder.First!.Value.Uid);
            _inOrder.RemoveFirst();
        }
    }

    internal void Remove(string uid)
    {
        lock (_gate)
        {
            if (_byUid.Remove(uid, out var gone))
                _inOrder.Remove(gone);
        }
    }
}
