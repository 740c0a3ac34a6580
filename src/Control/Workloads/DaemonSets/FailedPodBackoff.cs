namespace Weft.Control.Workloads;

/// <summary>A generation of a daemon set on one node.</summary>
internal readonly record struct DaemonPlace(string SetUid, long Generation, string Node);

/// <summary>
/// When a failed daemon pod may be replaced. A node that refuses a pod, or a program that ends at once, would otherwise have a new pod as fast as the
/// server can write. Kubernetes' figures (failedPodsBackoff): 1 s, doubling, 15 minutes at most; forgotten after twice that without a failure.
/// </summary>
internal sealed class FailedPodBackoff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1), Most = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Dictionary<DaemonPlace, (TimeSpan Delay, DateTimeOffset At)> _replaced = [];

    /// <summary>By node: before then nothing is replaced there.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> NotBefore(string setUid, long generation)
    {
        lock (_gate)
            return _replaced.Where(e => e.Key.SetUid == setUid && e.Key.Generation == generation).ToDictionary(e => e.Key.Node, e => e.Value.At + e.Value.Delay);
    }

    public void Replaced(DaemonPlace place, DateTimeOffset now)
    {
        lock (_gate)
        {
            foreach (var old in _replaced.Where(e => now - e.Value.At > 2 * Most).Select(e => e.Key).ToList())
                _replaced.Remove(old);
            _replaced[place] = _replaced.TryGetValue(place, out var before) ? (before.Delay * 2 < Most ? before.Delay * 2 : Most, now) : (First, now);
        }
    }
}
