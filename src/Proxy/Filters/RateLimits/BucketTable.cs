using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Weft.Proxy.Filters.RateLimits;

/// <summary>
/// Buckets by key, a limited number of them. Finding one takes no lock; a new one, when the table is full, takes the place of one that is full of tokens or was not asked for a while
/// (the clock algorithm).
/// </summary>
internal sealed class BucketTable(int capacity)
{
    // A sweep ends after so many looks: a full table of busy buckets must not make each newcomer walk through all.
    private const int LongestSweep = 32;

    private readonly ConcurrentDictionary<byte[], TokenBucket> _buckets = new(new KeyComparer());
    private readonly Queue<byte[]> _clock = new();
    private readonly Lock _gate = new();

    public int Count => _buckets.Count;

    public TokenBucket Get(ReadOnlySpan<byte> key, long now)
    {
        if (!_buckets.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var bucket))
            return Add(key.ToArray(), now);
        bucket.Touched = true;
        return bucket;
    }

    private TokenBucket Add(byte[] key, long now)
    {
        lock (_gate)
        {
            if (_buckets.TryGetValue(key, out var known))
                return known;
            if (_clock.Count >= capacity)
                Evict(now);
            _clock.Enqueue(key);
            return _buckets[key] = new();
        }
    }

    private void Evict(long now)
    {
        for (var look = 0; ; look++)
        {
            var key = _clock.Dequeue();
            var bucket = _buckets[key];
            if (bucket.IsFull(now) || !bucket.Touched || look >= LongestSweep)
            {
                _buckets.TryRemove(key, out _);
                return;
            }

            bucket.Touched = false;
            _clock.Enqueue(key);
        }
    }

    // HashCode is seeded at start: strangers choose the keys, and must not be able to choose their slots.
    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }
    }
}
