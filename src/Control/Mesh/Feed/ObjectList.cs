using System.Collections.Immutable;
using Weft.Api;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Mesh.Feed;

/// <summary>
/// The objects of a cache as a list that stays the same instance, with the same instances in it, as long as nothing of them has changed that the compiler looks at: that is
/// what makes the compiler's work small.
/// </summary>
internal sealed class ObjectList<T> : IDisposable where T : class, IObject
{
    private readonly ObjectCache<T> _cache;
    private readonly IDisposable _subscription;
    private readonly Func<T, T, bool>? _isSameBeside;
    private Dictionary<ObjectKey, T> _known = [];
    private int _isDirty = 1;

    /// <param name="changed">Called at each change, on whichever thread; must be quick.</param>
    /// <param name="isSameBeside">Whether what the compiler reads of the status is the same; null: it reads nothing of it.</param>
    public ObjectList(ObjectCache<T> cache, Action changed, Func<T, T, bool>? isSameBeside = null)
    {
        (_cache, _isSameBeside) = (cache, isSameBeside);
        _subscription = cache.Subscribe(_ =>
        {
            Volatile.Write(ref _isDirty, 1);
            changed();
        });
    }

    public ImmutableArray<T> Current { get; private set; } = [];

    /// <summary>The next read looks into the cache, whether its change was heard of or not: others may hear of it earlier.</summary>
    public void Doubt() => Volatile.Write(ref _isDirty, 1);

    /// <summary>Reads the cache again where it has changed. One caller at a time.</summary>
    public ImmutableArray<T> Read()
    {
        if (Interlocked.Exchange(ref _isDirty, 0) == 0)
            return Current;
        var isNew = false;
        var next = new Dictionary<ObjectKey, T>(_known.Count);
        foreach (var value in _cache.All())
        {
            var isKnown = _known.TryGetValue(value.Key(), out var known) && IsSame(known, value) && _isSameBeside?.Invoke(known, value) != false;
            isNew |= !isKnown;
            next[value.Key()] = isKnown ? known! : value;
        }

        if (isNew || next.Count != _known.Count)
            Current = [.. next.Values];
        _known = next;
        return Current;
    }

    // Where the server counts generations, another status (the mesh's own, for one) is no change. What the compiler reads beside the specification is in the metadata.
    private static bool IsSame(T one, T other) => ReferenceEquals(one, other)
        || (one.Metadata.Generation is not null && one.Metadata.Generation == other.Metadata.Generation && one.Metadata.Uid == other.Metadata.Uid
            && SameWords(one.Metadata.Labels, other.Metadata.Labels) && SameWords(one.Metadata.Annotations, other.Metadata.Annotations));

    internal static bool SameWords(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out var value) && value == pair.Value);

    public void Dispose() => _subscription.Dispose();
}
