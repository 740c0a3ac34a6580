using Weft.Api;

namespace Weft.Client;

/// <summary>Objects of a cache by a key computed from each. Read under the cache's lock.</summary>
public sealed class CacheIndex<T> where T : class, IObject
{
    private readonly Lock _gate;
    private readonly Func<T, IEnumerable<string>> _keys;
    private readonly Dictionary<string, Dictionary<ObjectKey, T>> _buckets = [];

    internal CacheIndex(Lock gate, Func<T, IEnumerable<string>> keys)
    {
        _gate = gate;
        _keys = keys;
    }

    public IReadOnlyList<T> Find(string key)
    {
        lock (_gate)
            return _buckets.TryGetValue(key, out var bucket) ? [.. bucket.Values] : [];
    }

    /// <summary>All keys that select something.</summary>
    public IReadOnlyList<string> Keys
    {
        get
        {
            lock (_gate)
                return [.. _buckets.Keys];
        }
    }

    internal void Replace(ObjectKey key, T? old, T? @new)
    {
        if (old is not null)
        {
            foreach (var name in _keys(old))
            {
                if (_buckets.TryGetValue(name, out var bucket) && bucket.Remove(key) && bucket.Count == 0)
                    _buckets.Remove(name);
            }
        }

        if (@new is not null)
        {
            foreach (var name in _keys(@new))
            {
                if (!_buckets.TryGetValue(name, out var bucket))
                    _buckets[name] = bucket = [];
                bucket[key] = @new;
            }
        }
    }
}
