using System.Collections.Concurrent;

namespace Weft.Node.Images;

/// <summary>When an image was last asked for by a container, and when this agent saw it first. The garbage collector judges by it.</summary>
internal sealed class ImageUse
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _used = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _seen = new();

    public void Used(string imageId, DateTimeOffset now) => _used[imageId] = now;

    public DateTimeOffset FirstSeen(string imageId, DateTimeOffset now) => _seen.GetOrAdd(imageId, now);

    public DateTimeOffset? LastUsed(string imageId) => _used.TryGetValue(imageId, out var at) ? at : null;

    /// <summary>Forgets images that are no longer there.</summary>
    public void Keep(IReadOnlySet<string> imageIds)
    {
        foreach (var id in _seen.Keys.Concat(_used.Keys).Where(id => !imageIds.Contains(id)).ToList())
        {
            _seen.TryRemove(id, out _);
            _used.TryRemove(id, out _);
        }
    }
}
