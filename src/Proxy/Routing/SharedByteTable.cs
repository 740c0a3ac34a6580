using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;
using Weft.Balancing;

namespace Weft.Proxy.Routing;

/// <summary>
/// Values by texts of bytes, for tables that are large and change a little at a time. Immutable: another table comes of a change, which shares with this one all parts that the change does not touch. A key's part is
/// found by its hash, so that a question costs one step into an array more than one of <see cref="ByteKeyTable{T}"/>.
/// </summary>
internal sealed class SharedByteTable<T>
{
    // A change copies a part and the array of parts: for 1,000 to 10,000 keys both are a few kilobytes.
    private const int PartSize = 32;

    public static readonly SharedByteTable<T> Empty = new([new(Array.Empty<KeyValuePair<byte[], T>>())], 0);

    private readonly ByteKeyTable<T>[] _parts;
    private readonly int _mask;

    private SharedByteTable(ByteKeyTable<T>[] parts, int count) => (_parts, _mask, Count) = (parts, parts.Length - 1, count);

    public int Count { get; }

    public bool TryGet(ReadOnlySpan<byte> key, [MaybeNullWhen(false)] out T value)
    {
        var hash = StableHash.Of(key);
        return _parts[PartOf(hash)].TryGet(key, hash, out value);
    }

    /// <summary>What goes goes first: a key may stand in both.</summary>
    /// <exception cref="ArgumentException">A key stands twice then.</exception>
    public SharedByteTable<T> With(IEnumerable<string> gone, IEnumerable<KeyValuePair<string, T>> come)
    {
        var (less, more) = (gone.Select(Encoding.UTF8.GetBytes).ToList(), come.Select(pair => KeyValuePair.Create(Encoding.UTF8.GetBytes(pair.Key), pair.Value)).ToList());
        if (less.Count + more.Count == 0)
            return this;
        var parts = PartsFor(Count - less.Count + more.Count);
        if (parts is null)
            return Changed(less, more);
        var mask = parts.Length - 1;
        var left = new List<KeyValuePair<byte[], T>>[parts.Length];
        foreach (var pair in Changed(less, []).All().Concat(more))
            (left[PartOf(StableHash.Of(pair.Key), mask)] ??= []).Add(pair);
        for (var i = 0; i < parts.Length; i++)
            parts[i] = left[i] is { } own ? new(own) : Empty._parts[0];
        return new(parts, parts.Sum(part => part.Count));
    }

    private SharedByteTable<T> Changed(List<byte[]> less, List<KeyValuePair<byte[], T>> more)
    {
        var parts = (ByteKeyTable<T>[])_parts.Clone();
        var count = Count;
        foreach (var at in less.Select(key => PartOf(StableHash.Of(key))).Concat(more.Select(pair => PartOf(StableHash.Of(pair.Key)))).Distinct().ToList())
        {
            var lost = less.Where(key => PartOf(StableHash.Of(key)) == at).ToList();
            parts[at] = new([.. parts[at].All.Where(pair => !lost.Exists(key => key.AsSpan().SequenceEqual(pair.Key))), .. more.Where(pair => PartOf(StableHash.Of(pair.Key)) == at)]);
            count += parts[at].Count - _parts[at].Count;
        }

        return new(parts, count);
    }

    private IEnumerable<KeyValuePair<byte[], T>> All() => _parts.SelectMany(part => part.All);

    // Null: as many as there are.
    private ByteKeyTable<T>[]? PartsFor(int count)
    {
        var wanted = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, count / PartSize));
        return wanted > _parts.Length || wanted < _parts.Length / 4 ? new ByteKeyTable<T>[wanted] : null;
    }

    private int PartOf(ulong hash) => PartOf(hash, _mask);

    // Of the other end than the slot within the part.
    private static int PartOf(ulong hash, int mask) => (int)(hash >> 40) & mask;
}
