using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;
using Weft.Balancing;

namespace Weft.Proxy.Routing;

/// <summary>Values by texts of bytes, made once and only read. Asked with a span, so nothing is allocated.</summary>
internal sealed class ByteKeyTable<T>
{
    // Half full at most, so that a search ends after one or two slots.
    private readonly Entry[] _slots;
    private readonly int _mask;

    public ByteKeyTable(IEnumerable<KeyValuePair<string, T>> pairs)
        : this([.. pairs.Select(pair => KeyValuePair.Create(Encoding.UTF8.GetBytes(pair.Key), pair.Value))])
    {
    }

    public ByteKeyTable(IReadOnlyCollection<KeyValuePair<byte[], T>> all)
    {
        _slots = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, all.Count * 2))];
        _mask = _slots.Length - 1;
        foreach (var (key, value) in all)
            Add(key, value);
        Count = all.Count;
    }

    public int Count { get; }

    public IEnumerable<KeyValuePair<byte[], T>> All => _slots.Where(entry => entry.Key is not null).Select(entry => KeyValuePair.Create(entry.Key!, entry.Value));

    public bool TryGet(ReadOnlySpan<byte> key, [MaybeNullWhen(false)] out T value) => TryGet(key, StableHash.Of(key), out value);

    /// <param name="hash">The key's <see cref="StableHash"/>.</param>
    public bool TryGet(ReadOnlySpan<byte> key, ulong hash, [MaybeNullWhen(false)] out T value)
    {
        for (var slot = (int)hash & _mask; ; slot = (slot + 1) & _mask)
        {
            ref readonly var entry = ref _slots[slot];
            if (entry.Key is null)
            {
                value = default;
                return false;
            }

            if (entry.Hash == hash && key.SequenceEqual(entry.Key))
            {
                value = entry.Value;
                return true;
            }
        }
    }

    private void Add(byte[] key, T value)
    {
        var hash = StableHash.Of(key);
        var slot = (int)hash & _mask;
        while (_slots[slot].Key is { } other)
        {
            if (other.AsSpan().SequenceEqual(key))
                throw new ArgumentException($"'{Encoding.UTF8.GetString(key)}' stands twice");
            slot = (slot + 1) & _mask;
        }

        _slots[slot] = new(key, hash, value);
    }

    private readonly record struct Entry(byte[]? Key, ulong Hash, T Value);
}
