using System.Diagnostics.CodeAnalysis;

namespace Weft.Proxy.Dns.Names;

/// <summary>
/// An immutable table of texts, of which a change copies one small part: with 10,000 names, about ten of them and a list of a thousand references. Asked
/// with a span, so that a question costs no string.
/// </summary>
internal sealed class ShardedTable<T> where T : class
{
    private const int Shards = 1024; // a power of two

    private readonly Dictionary<string, T>?[] _shards;

    private ShardedTable(Dictionary<string, T>?[] shards, int count) => (_shards, Count) = (shards, count);

    [SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "The empty one of each type.")]
    public static ShardedTable<T> Empty { get; } = new(new Dictionary<string, T>?[Shards], 0);

    public int Count { get; }

    public T? Find(ReadOnlySpan<char> key) =>
        _shards[ShardOf(key)] is { } shard && shard.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var value) ? value : null;

    /// <param name="changes">New values; null takes a key away.</param>
    public ShardedTable<T> With(IReadOnlyCollection<KeyValuePair<string, T?>> changes)
    {
        if (changes.Count == 0)
            return this;
        var shards = (Dictionary<string, T>?[])_shards.Clone();
        var own = new HashSet<int>();
        var count = Count;
        foreach (var (key, value) in changes)
        {
            var index = ShardOf(key);
            if (own.Add(index))
                shards[index] = shards[index] is { } old ? new(old, StringComparer.Ordinal) : new(StringComparer.Ordinal);
            var shard = shards[index]!;
            count -= shard.Remove(key) ? 1 : 0;
            if (value is null)
                continue;
            shard[key] = value;
            count++;
        }

        return new(shards, count);
    }

    private static int ShardOf(ReadOnlySpan<char> key) => string.GetHashCode(key, StringComparison.Ordinal) & (Shards - 1);
}
