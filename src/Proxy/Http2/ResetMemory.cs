namespace Weft.Proxy.Http2;

/// <summary>The last streams that were reset from here: their frames may be under way still, and are ignored (RFC 9113 section 5.1).</summary>
internal sealed class ResetMemory(int capacity)
{
    private int[]? _ids;
    private int _next;

    public void Add(int id)
    {
        _ids ??= new int[capacity];
        _ids[_next] = id;
        _next = (_next + 1) % capacity;
    }

    public bool Contains(int id) => _ids is not null && _ids.AsSpan().Contains(id);
}
