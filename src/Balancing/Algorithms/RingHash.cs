namespace Weft.Balancing.Algorithms;

/// <summary>
/// Consistent hashing (Karger et al. 1997): every endpoint has points on a ring in proportion to its weight, a request belongs to the next point. When
/// one of n endpoints goes, only its share moves. Without a hash the choice is by chance.
/// </summary>
public sealed class RingHash : IBalancer
{
    /// <summary>Envoy's default and bound: below some thousand points shares differ visibly.</summary>
    public const int DefaultPoints = 1024, MaxPoints = 8 * 1024 * 1024;

    private readonly ulong[] _points;
    private readonly int[] _owners;
    private readonly int _count;

    /// <param name="points">Least size of the ring; every endpoint has at least one point.</param>
    public RingHash(IReadOnlyList<string> keys, IReadOnlyList<int> weights, int points = DefaultPoints)
    {
        if (points is < 1 or > MaxPoints)
            throw new ArgumentOutOfRangeException(nameof(points), points, $"a ring has 1 to {MaxPoints} points");
        _count = keys.Count;
        // A power of two of points for each unit of weight: it stays the same while endpoints come and go, except where their weight doubles or halves.
        // Were it the exact quotient, every change would add or take a few points of everybody, and move their keys.
        var each = keys.Count == 0 ? 1 : Math.Pow(2, Math.Ceiling(Math.Log2(points / weights.Sum(w => (double)w))));
        var ring = new List<(ulong Point, int Owner)>(points + keys.Count);
        for (var i = 0; i < keys.Count; i++)
        {
            var own = Math.Max(1, (int)Math.Ceiling(each * weights[i]));
            var seed = StableHash.Of(keys[i]);
            for (var n = 0; n < own; n++)
                ring.Add((StableHash.Mix(seed + ((ulong)n * 0x9E3779B97F4A7C15)), i));
        }

        // By key where two points are equal: the order of the list must not matter.
        ring.Sort((a, b) => a.Point != b.Point ? a.Point.CompareTo(b.Point) : string.CompareOrdinal(keys[a.Owner], keys[b.Owner]));
        _points = [.. ring.Select(p => p.Point)];
        _owners = [.. ring.Select(p => p.Owner)];
    }

    public int Pick(in PickRequest request, ref Rng rng)
    {
        if (_count == 0)
            return -1;
        var at = Array.BinarySearch(_points, request.Hash ?? rng.Next());
        at = at >= 0 ? at : ~at;
        // Round the ring: an endpoint that was tried hands over to its neighbour, the same one each time.
        for (var step = 0; step < _points.Length; step++)
        {
            var owner = _owners[(at + step) % _points.Length];
            if (!request.Tried.Contains(owner))
                return owner;
        }

        return -1;
    }
}
