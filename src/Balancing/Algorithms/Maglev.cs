namespace Weft.Balancing.Algorithms;

/// <summary>
/// Google's Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): a table whose slots the endpoints fill in turn, each in the order of its own
/// permutation. Shares are even to within the table's grain, a choice is one read; when endpoints change a few more keys move than on a ring.
/// </summary>
public sealed class Maglev : IBalancer
{
    /// <summary>The paper's small size; prime, so that every step is a permutation. 100 slots for each endpoint keep shares within 1 %.</summary>
    public const int DefaultSize = 65_537;

    private readonly int[] _table;
    private readonly int _count;

    /// <param name="size">Slots; must be prime, and at least the number of endpoints.</param>
    public Maglev(IReadOnlyList<string> keys, IReadOnlyList<int> weights, int size = DefaultSize)
    {
        if (!IsPrime(size) || size < keys.Count)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"a Maglev table has a prime number of slots, at least one for each of the {keys.Count} endpoints");
        _count = keys.Count;
        _table = keys.Count == 0 ? [] : Fill(keys, weights, size);
    }

    public int Pick(in PickRequest request, ref Rng rng)
    {
        if (_count == 0)
            return -1;
        var hash = request.Hash ?? rng.Next();
        var picked = _table[(int)(hash % (ulong)_table.Length)];
        if (request.Tried.IsEmpty)
            return picked;
        // Other slots that the same hash leads to: the way out is the same for each request of this key.
        for (var again = 1; again <= 16 && request.Tried.Contains(picked); again++)
            picked = _table[(int)(StableHash.Mix(hash + (ulong)again) % (ulong)_table.Length)];
        return request.Tried.Contains(picked) ? Untried.After(picked, _count, request.Tried) : picked;
    }

    private static int[] Fill(IReadOnlyList<string> keys, IReadOnlyList<int> weights, int size)
    {
        // In the order of the keys: two proxies that learned of the endpoints in another order must build the same table.
        var order = Enumerable.Range(0, keys.Count).OrderBy(i => keys[i], StringComparer.Ordinal).ToArray();
        var heaviest = weights.Max();
        var table = new int[size];
        Array.Fill(table, -1);
        var offset = new int[keys.Count];
        var skip = new int[keys.Count];
        var next = new int[keys.Count];
        var credit = new double[keys.Count];
        foreach (var i in order)
        {
            offset[i] = (int)(StableHash.Of(keys[i], 1) % (ulong)size);
            skip[i] = (int)((StableHash.Of(keys[i], 2) % (ulong)(size - 1)) + 1);
        }

        for (var filled = 0; filled < size;)
        {
            foreach (var i in order)
            {
                // A turn for each full unit of weight, the heaviest has one in every round.
                credit[i] += weights[i] / (double)heaviest;
                if (credit[i] < 1)
                    continue;
                credit[i] -= 1;
                int slot;
                do
                    slot = (int)((offset[i] + ((long)skip[i] * next[i]++)) % size);
                while (table[slot] >= 0);
                table[slot] = i;
                if (++filled == size)
                    break;
            }
        }

        return table;
    }

    private static bool IsPrime(int n)
    {
        if (n < 2)
            return false;
        for (var d = 2; (long)d * d <= n; d++)
        {
            if (n % d == 0)
                return false;
        }

        return true;
    }
}
