using System.Diagnostics;

namespace Weft.Proxy.Http;

/// <summary>
/// The fields of one message, in order, names in lower case (HTTP/2 has no other, RFC 9113 section 8.2; HTTP/1.1 does not care, RFC 9110 section 5.1). The bytes are
/// copied into storage of its own, so a list outlives the buffer that it was read from; cleared and used again for the next message, it allocates nothing.
/// </summary>
internal sealed class HeaderList
{
    private byte[] _bytes = new byte[1024];
    private Entry[] _entries = new Entry[24];
    private int _used;
    private ulong _present;

    public int Count { get; private set; }

    /// <summary>Names and values, with 32 bytes for each field: the measure of SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113 section 6.5.2).</summary>
    public int ListSize { get; private set; }

    public void Clear() => (Count, _used, _present, ListSize) = (0, 0, 0, 0);

    public ReadOnlySpan<byte> Name(int index) => Bytes(Checked(index).Name);

    public ReadOnlySpan<byte> Value(int index) => Bytes(Checked(index).Value);

    public KnownHeader Known(int index) => Checked(index).Known;

    public bool Has(KnownHeader known) => (_present & Bit(known)) != 0;

    /// <summary>The first value; false when there is none.</summary>
    public bool TryGet(KnownHeader known, out ReadOnlySpan<byte> value)
    {
        var index = IndexOf(known);
        value = index < 0 ? default : Value(index);
        return index >= 0;
    }

    public int IndexOf(KnownHeader known, int from = 0)
    {
        Debug.Assert(known != KnownHeader.None);
        if (Has(known))
        {
            for (var i = from; i < Count; i++)
            {
                if (_entries[i].Known == known)
                    return i;
            }
        }

        return -1;
    }

    /// <param name="name">In lower case.</param>
    public int IndexOf(ReadOnlySpan<byte> name, int from = 0)
    {
        var known = KnownHeaders.Find(name);
        if (known != KnownHeader.None)
            return IndexOf(known, from);
        for (var i = from; i < Count; i++)
        {
            if (_entries[i].Known == KnownHeader.None && Bytes(_entries[i].Name).SequenceEqual(name))
                return i;
        }

        return -1;
    }

    /// <param name="name">A token in any case; it is kept in lower case.</param>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        var at = Reserve(name.Length + value.Length);
        var lower = _bytes.AsSpan(at, name.Length);
        for (var i = 0; i < name.Length; i++)
            lower[i] = (byte)(name[i] is >= (byte)'A' and <= (byte)'Z' ? name[i] | 0x20 : name[i]);
        value.CopyTo(_bytes.AsSpan(at + name.Length));
        var known = KnownHeaders.Find(lower);
        _entries[Count++] = new Entry(new(at, name.Length), new(at + name.Length, value.Length), known);
        _present |= Bit(known);
        ListSize += name.Length + value.Length + 32;
    }

    /// <summary>Takes back the last <see cref="Add"/>, with its storage.</summary>
    public void RemoveLast()
    {
        var used = _entries[Count - 1].Name.Offset;
        RemoveAt(Count - 1);
        _used = used;
    }

    /// <summary>
    /// Nothing that could end a line or a string in HTTP/1.1, in all that was ever stored: asked before a head is written, so that no filter and no
    /// translation from another protocol can split a message.
    /// </summary>
    public bool IsClean => !_bytes.AsSpan(0, _used).ContainsAny(HttpCharacters.Forbidden);

    /// <summary>In place of all fields of this name.</summary>
    public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Remove(name);
        Add(name, value);
    }

    /// <summary>A field whose name is already looked up; by the codec that did it.</summary>
    /// <param name="name">In lower case.</param>
    /// <param name="neverIndexed">See <see cref="IsNeverIndexed"/>.</param>
    public void AddKnown(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, KnownHeader known, bool neverIndexed)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        var at = Reserve(name.Length + value.Length);
        name.CopyTo(_bytes.AsSpan(at));
        value.CopyTo(_bytes.AsSpan(at + name.Length));
        _entries[Count++] = new Entry(new(at, name.Length), new(at + name.Length, value.Length), known, neverIndexed);
        _present |= Bit(known);
        ListSize += name.Length + value.Length + 32;
    }

    /// <summary>The sender asked that no hop compresses it (RFC 7541 section 6.2.3).</summary>
    public bool IsNeverIndexed(int index) => Checked(index).NeverIndexed;

    public void SetValue(int index, ReadOnlySpan<byte> value)
    {
        ref var entry = ref Checked(index);
        ListSize += value.Length - entry.Value.Length;
        var at = value.Length <= entry.Value.Length ? entry.Value.Offset : Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(at));
        entry = entry with { Value = new(at, value.Length) };
    }

    /// <summary>All fields of this name, in lower case; how many there were.</summary>
    public int Remove(ReadOnlySpan<byte> name)
    {
        var removed = 0;
        for (var i = IndexOf(name); i >= 0; i = IndexOf(name, i))
        {
            RemoveAt(i);
            removed++;
        }

        return removed;
    }

    public void RemoveAt(int index)
    {
        var gone = Checked(index);
        ListSize -= gone.Name.Length + gone.Value.Length + 32;
        Array.Copy(_entries, index + 1, _entries, index, --Count - index);
        if (gone.Known != KnownHeader.None && IndexOf(gone.Known) < 0)
            _present &= ~Bit(gone.Known);
    }

    public void CopyTo(HeaderList target)
    {
        for (var i = 0; i < Count; i++)
            target.AddKnown(Name(i), Value(i), Known(i), IsNeverIndexed(i));
    }

    private static ulong Bit(KnownHeader known) => known == KnownHeader.None ? 0 : 1UL << (int)known;

    private int Reserve(int length)
    {
        if (_bytes.Length - _used < length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + length));
        var at = _used;
        _used += length;
        return at;
    }

    private ref Entry Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return ref _entries[index];
    }

    private ReadOnlySpan<byte> Bytes(ByteRange range) => _bytes.AsSpan(range.Offset, range.Length);

    private readonly record struct Entry(ByteRange Name, ByteRange Value, KnownHeader Known, bool NeverIndexed = false);

    private readonly record struct ByteRange(int Offset, int Length);
}
