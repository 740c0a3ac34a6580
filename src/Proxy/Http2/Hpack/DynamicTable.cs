using System.Diagnostics;

namespace Weft.Proxy.Http2.Hpack;

/// <summary>
/// The entries that one side has added, newest first (RFC 7541 section 2.3.2). Names and values lie in one array in the order of their coming; what is evicted
/// makes room when the end of the array is reached. It grows with what is in it: most connections add less than a kilobyte.
/// </summary>
internal sealed class DynamicTable(int maxSize)
{
    /// <summary>What an entry counts more than its text (section 4.1).</summary>
    public const int EntryOverhead = 32;

    private byte[] _bytes = [];
    private Entry[] _entries = [];
    private uint _oldest, _next; // numbers of insertions; they may wrap
    private uint _start, _end;   // positions since the first byte ever written; they may wrap
    private uint _base;          // the position that lies at index 0 of the array

    public int Count => (int)(_next - _oldest);

    /// <summary>Of all entries, as section 4.1 counts.</summary>
    public int Size { get; private set; }

    public int MaxSize { get; private set; } = maxSize;

    /// <summary>The number of the newest entry. It does not change while the entry lives: the index does.</summary>
    public uint Newest => _next - 1;

    public void Resize(int maximum)
    {
        MaxSize = maximum;
        Evict(0);
    }

    /// <summary>From 0, the newest.</summary>
    public ReadOnlySpan<byte> Name(int index)
    {
        ref var entry = ref At(index);
        return _bytes.AsSpan((int)(entry.Position - _base), entry.NameLength);
    }

    public ReadOnlySpan<byte> Value(int index)
    {
        ref var entry = ref At(index);
        return _bytes.AsSpan((int)(entry.Position - _base) + entry.NameLength, entry.ValueLength);
    }

    public FieldInfo Info(int index) => At(index).Info;

    /// <param name="name">Not of this table: an entry may be evicted by the one that takes its name (section 4.4).</param>
    public void Insert(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, FieldInfo info)
    {
        var length = name.Length + value.Length;
        var size = length + EntryOverhead;
        // Larger than the table: it is empty afterwards, and that is no error (section 4.4).
        Evict(size);
        if (size > MaxSize)
            return;
        if (Count == _entries.Length)
            GrowEntries();
        MakeRoom(length);
        var target = _bytes.AsSpan((int)(_end - _base), length);
        name.CopyTo(target);
        value.CopyTo(target[name.Length..]);
        _entries[_next & (uint)(_entries.Length - 1)] = new(_end, name.Length, value.Length, info);
        _next++;
        _end += (uint)length;
        Size += size;
    }

    private ref Entry At(int index)
    {
        Debug.Assert((uint)index < (uint)Count);
        return ref _entries[(_next - 1 - (uint)index) & (uint)(_entries.Length - 1)];
    }

    private void Evict(int coming)
    {
        while (Count > 0 && Size + coming > MaxSize)
        {
            ref var entry = ref At(Count - 1);
            Size -= entry.NameLength + entry.ValueLength + EntryOverhead;
            _start = entry.Position + (uint)(entry.NameLength + entry.ValueLength);
            _oldest++;
        }
    }

    private void GrowEntries()
    {
        var larger = new Entry[Math.Max(8, _entries.Length * 2)];
        for (var number = _oldest; number != _next; number++)
            larger[number & (uint)(larger.Length - 1)] = _entries[number & (uint)(_entries.Length - 1)];
        _entries = larger;
    }

    // A move for each half of the array at most: a byte is moved once for each that was written.
    private void MakeRoom(int length)
    {
        if (_bytes.Length - (int)(_end - _base) >= length)
            return;
        var used = (int)(_end - _start);
        var source = _bytes.AsSpan((int)(_start - _base), used);
        if (used + length > _bytes.Length / 2)
        {
            var larger = new byte[Math.Max(512, Math.Max(_bytes.Length * 2, (used + length) * 2))];
            source.CopyTo(larger);
            _bytes = larger;
        }
        else
        {
            source.CopyTo(_bytes);
        }

        _base = _start;
    }

    private readonly record struct Entry(uint Position, int NameLength, int ValueLength, FieldInfo Info);
}
