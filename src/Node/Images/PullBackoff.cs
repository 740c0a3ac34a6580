namespace Weft.Node.Images;

/// <summary>Waits between pulls of one image for one pod that fail. The kubelet's figures: 10 s, doubling to 5 minutes, forgotten after twice that. Thread-safe.</summary>
internal sealed class PullBackoff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TimeSpan Wait, DateTimeOffset At)> _entries = [];

    /// <summary>When the next pull may begin; null: now.</summary>
    public DateTimeOffset? Until(string key, DateTimeOffset now)
    {
        lock (_gate)
            return _entries.TryGetValue(key, out var entry) && entry.At + entry.Wait is var until && until > now ? until : null;
    }

    public void Failed(string key, DateTimeOffset now)
    {
        lock (_gate)
        {
            foreach (var (old, _) in _entries.Where(e => now - e.Value.At > 2 * Longest).ToList())
                _entries.Remove(old);
            var before = _entries.GetValueOrDefault(key).Wait;
            _entries[key] = (before == TimeSpan.Zero ? First : before * 2 < Longest ? before * 2 : Longest, now);
        }
    }

    public void Succeeded(string key)
    {
        lock (_gate)
            _entries.Remove(key);
    }
}
